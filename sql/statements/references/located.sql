-- The readings of a name that a person typed ($1): [schema.]table, or [schema.]table.column. Without a column the only column of
-- the primary key is taken. Tables and partitioned tables only: a foreign key refers neither to nor from anything else.
with typed as (
    select parse_ident($1::text) as parts
),

reading as (
    select typed.parts as table_parts, null::text as column_name, 1 as place
    from typed
    where cardinality(typed.parts) <= 2
    union all
    select
        typed.parts[1:cardinality(typed.parts) - 1] as table_parts,
        typed.parts[cardinality(typed.parts)] as column_name,
        2 as place
    from typed
    where cardinality(typed.parts) between 2 and 3
),

spelled as (
    select
        reading.place, reading.column_name,
        to_regclass(
            (
                select string_agg(quote_ident(part.name), '.' order by part.place)
                from unnest(reading.table_parts) with ordinality as part (name, place)
            )
        ) as relation
    from reading
)

select
    format('%I.%I', space.nspname, relation.relname) as table_name,
    coalesce(attribute.attname, primary_key.attname)::text as column_name,
    attribute.attname is not null as has_column
from spelled
inner join pg_catalog.pg_class as relation on spelled.relation = relation.oid and relation.relkind in ('r', 'p')
inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
left join pg_catalog.pg_attribute as attribute
    on
        relation.oid = attribute.attrelid
        and spelled.column_name = attribute.attname
        and attribute.attnum > 0
        and not attribute.attisdropped
left join pg_catalog.pg_index as rule
    on relation.oid = rule.indrelid and rule.indisprimary and rule.indnkeyatts = 1
left join pg_catalog.pg_attribute as primary_key
    on relation.oid = primary_key.attrelid and primary_key.attnum = rule.indkey[0]
where spelled.column_name is null or attribute.attname is not null
order by spelled.place
