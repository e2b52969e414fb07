-- The tables of the application, with their columns, the unique keys of their rows, and whether row-level security hides rows
-- from the calling role. Partitions are left out: their root stands for them.
select
    space.nspname as schema_name,
    relation.relname as relation_name,
    format('%I.%I', space.nspname, relation.relname) as quoted,
    row_security_active(relation.oid) as hides_rows,
    (
        select
            json_agg(
                json_build_object(
                    'name', attribute.attname,
                    'quoted', quote_ident(attribute.attname),
                    'type_name', format_type(attribute.atttypid, -1),
                    'base_type', format_type(coalesce(nullif(type.typbasetype, 0), type.oid), -1),
                    'kind', pgmend.key_kind(attribute.atttypid),
                    'is_required', attribute.attnotnull or type.typnotnull,
                    'default', coalesce(pg_get_expr(filled.adbin, filled.adrelid), type.typdefault),
                    'is_generated', attribute.attgenerated <> '',
                    'is_identity', attribute.attidentity <> ''
                )
                order by attribute.attnum
            )
        from pg_catalog.pg_attribute as attribute
        inner join pg_catalog.pg_type as type on attribute.atttypid = type.oid
        left join pg_catalog.pg_attrdef as filled
            on attribute.attrelid = filled.adrelid and attribute.attnum = filled.adnum
        where attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
    ) as columns,
    (
        select
            json_agg(
                json_build_object(
                    'is_primary', rule.indisprimary,
                    'columns', (
                        select json_agg(attribute.attname order by listed.position)
                        from unnest(rule.indkey::smallint[]) with ordinality as listed (number, position)
                        inner join pg_catalog.pg_attribute as attribute
                            on attribute.attrelid = rule.indrelid and listed.number = attribute.attnum
                        where listed.position <= rule.indnkeyatts
                    )
                )
                order by rule.indisprimary desc, rule.indexrelid asc
            )
        from pg_catalog.pg_index as rule
        where
            rule.indrelid = relation.oid
            and rule.indisunique
            and rule.indisvalid
            and rule.indimmediate
            and rule.indpred is null
            and rule.indexprs is null
    ) as unique_keys
from pg_catalog.pg_class as relation
inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
where
    relation.relkind in ('r', 'p')
    and not relation.relispartition
    and space.nspname !~ '^pg_'
    and space.nspname not in ('information_schema', 'pgmend')
order by space.nspname, relation.relname
