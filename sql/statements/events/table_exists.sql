-- Whether there is a table of this name ($1), with or without its schema.
select count(*) > 0 as is_there
from pg_catalog.pg_class as relation
inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
where
    relation.relkind in ('r', 'p')
    and $1::text in (relation.relname::text, space.nspname || '.' || relation.relname)
