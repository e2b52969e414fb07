-- Writes events for users without a profile that nothing announced, at most $1 for each source; returns how many by source.
select source_id, pgmend.sweep_users(source_id, $1) as found_users
from pgmend.profile_sources
