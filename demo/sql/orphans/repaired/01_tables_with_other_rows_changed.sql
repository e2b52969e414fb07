-- Tables in which the rows that were no orphans are not, byte for byte, what they were.
select
    count(*) filter (where now.other_checksum is distinct from before.other_checksum) as found,
    count(*) as checked
from demo.checksums_before as before
left join demo.checksums_now() as now on before.table_name = now.table_name
