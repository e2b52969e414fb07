-- The people of the attached profile sources whose tables are still there. $1: whether the audit may be asked about them.
select
    format('%I.%I', users_space.nspname, users.relname) as users_table,
    source.users_key::text as users_key,
    format('%I.%I', profiles_space.nspname, profiles.relname) as profiles_table,
    source.profiles_key::text as profiles_key,
    source.eligible_when,
    source.erased_when,
    $1::boolean as is_audited
from pgmend.profile_sources as source
inner join pg_catalog.pg_class as users on source.users_table = users.oid
inner join pg_catalog.pg_namespace as users_space on users.relnamespace = users_space.oid
inner join pg_catalog.pg_class as profiles on source.profiles_table = profiles.oid
inner join pg_catalog.pg_namespace as profiles_space on profiles.relnamespace = profiles_space.oid
order by source.source_id
