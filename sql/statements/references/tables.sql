-- The names of the application's tables, without their schemas.
select distinct relation.relname::text as table_name
from pg_catalog.pg_class as relation
inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
where
    relation.relkind in ('r', 'p')
    and space.nspname !~ '^pg_'
    and space.nspname not in ('information_schema', 'pgmend')
