-- The indexes that begin with the columns ($2, in any order) of the referencing table ($1) or of anything below it, valid or not.
-- Plain: a btree on these columns in this order and on nothing else, as a key's supporting index is made. Serves: it can
-- answer the key's own searches. An index of a partitioned table is not valid until each partition has its part.
with rule as (
    select
        ruled.*,
        array(
            select coalesce(attribute.attname::text, '')
            from unnest(ruled.indkey) with ordinality as listed (number, place)
            left join pg_catalog.pg_attribute as attribute
                on ruled.indrelid = attribute.attrelid and listed.number = attribute.attnum
            order by listed.place
        ) as columns
    from pg_catalog.pg_index as ruled
    where
        ruled.indrelid = $1::text::regclass
        or ruled.indrelid in (select tree.relid from pg_catalog.pg_partition_tree($1::text::regclass) as tree)
)

select
    format('%I.%I', table_space.nspname, class.relname) as table,
    format('%I.%I', index_space.nspname, index_class.relname) as name,
    rule.indisvalid as is_valid,
    rule.indisvalid and rule.indpred is null as serves,
    rule.columns = $2::text[]
    and not rule.indisunique
    and rule.indpred is null
    and not exists (
        select
        from unnest(rule.indclass, rule.indcollation, rule.indkey, rule.indoption) as part (class, collation_oid, number, option)
        inner join pg_catalog.pg_opclass as class_used on part.class = class_used.oid
        inner join pg_catalog.pg_attribute as attribute
            on rule.indrelid = attribute.attrelid and part.number = attribute.attnum
        where not class_used.opcdefault or part.collation_oid <> attribute.attcollation or part.option <> 0
    ) as is_plain,
    case when index_class.relispartition then format('%I.%I', above_space.nspname, above.relname) end as above,
    exists(
        select
        from pg_catalog.pg_stat_progress_create_index as building
        where building.index_relid = rule.indexrelid and building.datname = current_database()
    ) as is_being_built
from rule
inner join pg_catalog.pg_class as class on rule.indrelid = class.oid
inner join pg_catalog.pg_namespace as table_space on class.relnamespace = table_space.oid
inner join pg_catalog.pg_class as index_class on rule.indexrelid = index_class.oid
inner join pg_catalog.pg_namespace as index_space on index_class.relnamespace = index_space.oid
inner join pg_catalog.pg_am as method on index_class.relam = method.oid and method.amname = 'btree'
left join pg_catalog.pg_inherits as link on rule.indexrelid = link.inhrelid
left join pg_catalog.pg_class as above on link.inhparent = above.oid
left join pg_catalog.pg_namespace as above_space on above.relnamespace = above_space.oid
where rule.indnkeyatts >= cardinality($2::text[]) and rule.columns[1:cardinality($2::text[])] @> $2::text[]
order by table_space.nspname, class.relname, index_space.nspname, index_class.relname
