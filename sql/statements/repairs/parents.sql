-- The tables to which one of these columns ($2) of a table ($1) refers itself.
select distinct foreign_key.confrelid::regclass::text as parent
from pg_catalog.pg_constraint as foreign_key
inner join pg_catalog.pg_attribute as attribute
    on foreign_key.conrelid = attribute.attrelid and attribute.attnum = any(foreign_key.conkey)
where
    foreign_key.contype = 'f'
    and foreign_key.conrelid = $1::text::regclass
    and attribute.attname = any($2::text[])
order by parent
