-- The profile sources, as a repair has to know them.
select
    source.source_id,
    source.users_table::text as users_table,
    source.users_key::text as users_key,
    source.profiles_table::text as profiles_table,
    source.profiles_key::text as profiles_key,
    source.eligible_when,
    source.erased_when,
    source.paused_at is not null as is_paused
from pgmend.profile_sources as source
inner join pg_catalog.pg_class as users on source.users_table = users.oid
inner join pg_catalog.pg_class as profiles on source.profiles_table = profiles.oid
order by source.source_id
