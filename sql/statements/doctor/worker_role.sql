-- The role $1 (null: that of this connection), and the role pgmend_worker: whether it exists, and whether it ever got its rights.
select
    quote_ident(role.rolname) as role,
    role.rolsuper as is_superuser,
    worker.oid is not null as group_exists,
    worker.oid is not null and not has_table_privilege(worker.oid, outbox.oid, 'select') as group_is_bare,
    pg_has_role(role.oid, space.nspowner, 'usage') as owns_schema
from pg_catalog.pg_roles as role
cross join pg_catalog.pg_namespace as space
left join pg_catalog.pg_roles as worker on worker.rolname = 'pgmend_worker'
left join pg_catalog.pg_class as outbox on space.oid = outbox.relnamespace and outbox.relname = 'outbox'
where role.rolname = coalesce($1::text, current_user) and space.nspname = 'pgmend'
