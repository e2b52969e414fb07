-- Whether this role may read the users table and the profiles table of source $1.
select
    has_table_privilege(source.users_table, 'select') and has_table_privilege(source.profiles_table, 'select')
    and has_schema_privilege(users.relnamespace, 'usage') and has_schema_privilege(profiles.relnamespace, 'usage') as may_read
from pgmend.profile_sources as source
inner join pg_catalog.pg_class as users on source.users_table = users.oid
inner join pg_catalog.pg_class as profiles on source.profiles_table = profiles.oid
where source.source_id = $1
