-- The full name of a table that a person names, or null where there is none.
select format('%I.%I', space.nspname, relation.relname)
from pg_catalog.pg_class as relation
inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
where relation.oid = to_regclass($1::text)
