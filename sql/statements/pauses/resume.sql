-- Lets one profile source go on, or all of them ($1 is null); returns those that were stopped.
select
    source_id,
    users_table::text as users_table
from pgmend.profile_sources
where ($1::integer is null or source_id = $1) and pgmend.resume_source(source_id) is not null
order by source_id
