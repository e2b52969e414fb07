-- Orphans that are neither where they were, as they were, nor written down in the quarantine.
with kept as (
    select distinct
        taken.table_name,
        taken.row_id
    from demo.taken() as taken
)

select
    count(*) filter (where stored.row_id is null and kept.row_id is null) as found,
    count(*) as checked
from demo.orphans as orphan
left join demo.stored_rows() as stored
    on orphan.table_name = stored.table_name and orphan.row_id = stored.row_id and orphan.row_text = stored.row_text
left join kept on orphan.table_name = kept.table_name and orphan.row_id = kept.row_id
