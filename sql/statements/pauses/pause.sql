-- Stops one profile source, or all of them ($1 is null); returns those that were not stopped before.
select
    source_id,
    users_table::text as users_table
from pgmend.profile_sources
where ($1::integer is null or source_id = $1) and pgmend.pause_source(source_id, $2) is not null
order by source_id
