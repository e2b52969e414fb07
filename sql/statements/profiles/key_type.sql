-- The users table of source $1, the type of its keys, and the text of a query that raises where $2 is no such key.
select
    source.users_table::text as users_table,
    format_type(attribute.atttypid, -1) as key_type,
    format('select %L::%s is null', $2::text, format_type(attribute.atttypid, -1)) as query
from pgmend.profile_sources as source
inner join pg_catalog.pg_attribute as attribute
    on source.users_table = attribute.attrelid and source.users_key = attribute.attname
where source.source_id = $1
