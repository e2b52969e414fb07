-- How far the backend $1 has come with an index: its phase, and how much of that in percent.
select
    building.phase,
    (100 * building.blocks_done / nullif(building.blocks_total, 0))::integer as percent
from pg_catalog.pg_stat_progress_create_index as building
where building.pid = $1::integer
