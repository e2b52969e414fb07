-- Rows that were taken or given another key although their reference led somewhere.
select
    count(*) filter (where orphan.row_id is null) as found,
    count(*) as checked
from demo.taken() as taken
left join demo.orphans as orphan on taken.table_name = orphan.table_name and taken.row_id = orphan.row_id
