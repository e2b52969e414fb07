-- Whose profiles are referred to, as the profile sources have it, where this role may read the users as well as the audit.
select
    source.users_table::text as users_table,
    source.users_key::text as users_key,
    source.profiles_table::text as profiles_table,
    source.profiles_key::text as profiles_key,
    source.eligible_when,
    source.erased_when,
    has_table_privilege('pgmend.audit_entries', 'select') as is_audited,
    coalesce(has_table_privilege(source.users_table, 'select') and not row_security_active(source.users_table), false)
        as is_readable
from pgmend.profile_sources as source
where to_regclass(source.profiles_table::text) is not null
order by source.source_id
