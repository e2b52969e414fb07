-- Rows of the live application that are missing, hold another value, or came from nowhere.
select
    count(*) filter (where expected.written is distinct from present.written) as found,
    count(*) as checked
from demo.live_rows as expected
full join demo.live_rows_now() as present on expected.table_name = present.table_name and expected.row_id = present.row_id
