-- The columns of a table ($1), in their order.
select
    attribute.attname::text as name,
    format_type(attribute.atttypid, attribute.atttypmod) as type,
    attribute.attnotnull as is_required,
    coalesce(pg_get_expr(initial.adbin, initial.adrelid), '') as initial
from pg_catalog.pg_attribute as attribute
left join pg_catalog.pg_attrdef as initial on attribute.attrelid = initial.adrelid and attribute.attnum = initial.adnum
where attribute.attrelid = $1::text::regclass and attribute.attnum > 0 and not attribute.attisdropped
order by attribute.attnum
