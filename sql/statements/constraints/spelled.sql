-- How the catalog prints the table that a person names ($1), and what it is; null where there is none.
select class.oid::regclass::text as name, class.relkind in ('r', 'p') as is_table
from pg_catalog.pg_class as class
where class.oid = to_regclass($1::text)
