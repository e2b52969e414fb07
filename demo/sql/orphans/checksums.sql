-- The checksums of each table now beside those before: of the rows that were no orphans, and of all.
select
    before.table_name,
    before.all_rows,
    before.all_checksum,
    now.all_checksum as all_checksum_now,
    before.other_rows,
    before.other_checksum,
    now.other_checksum as other_checksum_now
from demo.checksums_before as before
left join demo.checksums_now() as now on before.table_name = now.table_name
order by before.table_name
