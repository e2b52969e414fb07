-- Who answers, and whether this role may look at the schema. The identity tells two servers apart without any right, and reads
-- the same whatever the session's time zone.
select
    current_setting('server_version_num')::integer / 10000 as major,
    split_part(current_setting('server_version'), ' ', 1) as version,
    pg_is_in_recovery() as is_standby,
    current_database()::text as database,
    quote_ident(role.rolname) as role,
    role.rolsuper as is_superuser,
    space.oid is not null as schema_exists,
    coalesce(
        has_schema_privilege(space.oid, 'usage') and has_table_privilege(migrations.oid, 'select'), false
    ) as schema_is_readable,
    format('%s %s', extract(epoch from pg_postmaster_start_time()), current_database()) as identity
from pg_catalog.pg_roles as role
left join pg_catalog.pg_namespace as space on space.nspname = 'pgmend'
left join pg_catalog.pg_class as migrations on space.oid = migrations.relnamespace and migrations.relname = 'migrations'
where role.rolname = current_user
