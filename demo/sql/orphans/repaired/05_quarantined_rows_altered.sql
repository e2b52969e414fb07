-- Rows in the quarantine that do not read, value by value, as they did in their table.
select
    count(*) filter (where orphan.row_image <> taken.row_image) as found,
    count(*) as checked
from demo.taken() as taken
inner join demo.orphans as orphan on taken.table_name = orphan.table_name and taken.row_id = orphan.row_id
