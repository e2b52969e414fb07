-- Tables that are not, byte for byte, what they were before the repair, orphans included. Profiles that were healed stay.
select
    count(*) filter (where now.all_checksum is distinct from before.all_checksum) as found,
    count(*) as checked
from demo.checksums_before as before
left join demo.checksums_now() as now on before.table_name = now.table_name
