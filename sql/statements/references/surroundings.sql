-- What stands around a reference from columns ($2) of a table ($1): the index that serves it (one that begins with these columns,
-- in any order), the column that says when a row was made, and how many rows the server believes there are (null: it has not
-- counted lately). The belief is that of the planner: density when it last looked, times the size of now.
with referencing as (
    select array_agg(attribute.attnum) as numbers
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = $1::text::regclass and attribute.attname = any($2::text[])
),

leaf as (
    select
        relation.reltuples, relation.relpages,
        pg_relation_size(relation.oid::regclass) / current_setting('block_size')::integer as pages
    from pg_catalog.pg_class as relation
    where
        relation.relkind = 'r'
        and (
            relation.oid = $1::text::regclass
            or relation.oid in (select partition.relid from pg_partition_tree($1::text::regclass) as partition)
        )
)

select
    (
        select serving.relname::text
        from pg_catalog.pg_index as rule
        inner join pg_catalog.pg_class as serving on rule.indexrelid = serving.oid
        where
            rule.indrelid = $1::text::regclass
            and rule.indisvalid
            and rule.indpred is null
            and (rule.indkey::smallint[])[0:cardinality(referencing.numbers) - 1] @> referencing.numbers
        order by rule.indnkeyatts, serving.relname
        limit 1
    ) as index_name,
    (
        select attribute.attname::text
        from pg_catalog.pg_attribute as attribute
        where
            attribute.attrelid = $1::text::regclass
            and not attribute.attisdropped
            and attribute.atttypid in ('timestamp'::regtype, 'timestamptz'::regtype, 'date'::regtype)
            and lower(replace(attribute.attname, '_', '')) in (
                'createdat', 'created', 'createdon', 'datecreated', 'creationdate', 'insertedat', 'addedat', 'placedat', 'sentat',
                'occurredat', 'timestamp'
            )
        order by lower(attribute.attname) like 'created%' desc, attribute.attnum
        limit 1
    ) as seen_column,
    (
        select
            case
                when bool_or(leaf.reltuples < 0 or leaf.relpages = 0 and leaf.pages > 0) then null
                else coalesce(sum(case when leaf.relpages > 0 then leaf.reltuples / leaf.relpages * leaf.pages else 0 end), 0)
            end::bigint
        from leaf
    ) as believed_rows
from referencing
