-- The profile sources, and whether each is paused.
select
    source_id,
    users_table::text as users_table,
    profiles_table::text as profiles_table,
    paused_at,
    paused_because
from pgmend.profile_sources
order by source_id
