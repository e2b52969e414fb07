-- The profile sources that are stopped until a person resumes them.
select
    source_id,
    users_table::text as users_table,
    paused_because,
    extract(epoch from clock_timestamp() - paused_at)::float8 as paused_for
from pgmend.profile_sources
where paused_at is not null
order by source_id
