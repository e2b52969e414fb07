-- The attached sources, their tables as they are called now. What is gone is called by its number.
select
    source.source_id,
    coalesce(format('%I.%I', users_space.nspname, users.relname), source.users_table::text) as users_table,
    source.users_key::text as users_key,
    coalesce(format('%I.%I', profiles_space.nspname, profiles.relname), source.profiles_table::text) as profiles_table,
    source.profiles_key::text as profiles_key,
    source.recipe::text as recipe,
    source.recipe_function,
    source.eligible_when,
    source.erased_when
from pgmend.profile_sources as source
left join pg_catalog.pg_class as users on source.users_table = users.oid
left join pg_catalog.pg_namespace as users_space on users.relnamespace = users_space.oid
left join pg_catalog.pg_class as profiles on source.profiles_table = profiles.oid
left join pg_catalog.pg_namespace as profiles_space on profiles.relnamespace = profiles_space.oid
order by source.source_id
