-- The foreign keys that refer to one of these columns ($2) of a table ($1).
select foreign_key.conname::text
from pg_catalog.pg_constraint as foreign_key
inner join pg_catalog.pg_attribute as attribute
    on foreign_key.confrelid = attribute.attrelid and attribute.attnum = any(foreign_key.confkey)
where
    foreign_key.contype = 'f'
    and foreign_key.confrelid = $1::text::regclass
    and attribute.attname = any($2::text[])
