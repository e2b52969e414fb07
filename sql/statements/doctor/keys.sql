-- The foreign keys that lead to the profiles of a source, each with its guard if it has one. An index serves a key when it begins
-- with the key's columns, in any order.
select distinct
    key.conrelid::regclass::text as table,
    key.conname::text as name,
    quote_ident(key.conname) as quoted_name,
    (
        select string_agg(quote_ident(attribute.attname), ', ' order by listed.place)
        from unnest(key.conkey) with ordinality as listed (number, place)
        inner join pg_catalog.pg_attribute as attribute on attribute.attrelid = key.conrelid and listed.number = attribute.attnum
    ) as columns,
    format('%s %s %s', key.conrelid, key.confrelid, (
        select string_agg(format('%s=%s', pair.referencing, pair.referenced), ' ' order by pair.referencing)
        from unnest(key.conkey, key.confkey) as pair (referencing, referenced)
    )) as meaning,
    key.convalidated as is_valid,
    relation.relkind = 'p' as is_partitioned,
    exists(
        select
        from pg_catalog.pg_index as rule
        where
            rule.indrelid = key.conrelid
            and rule.indisvalid
            and rule.indpred is null
            and (rule.indkey::smallint[])[0:cardinality(key.conkey) - 1] @> key.conkey
    ) as has_index,
    exists(
        select
        from pgmend.guarded_constraints as guard
        where guard.referencing_table = key.conrelid and guard.constraint_name = key.conname
    ) as is_guarded
from pgmend.profile_sources as source
inner join pg_catalog.pg_attribute as referenced
    on source.profiles_table = referenced.attrelid and source.profiles_key = referenced.attname
inner join pg_catalog.pg_constraint as key on source.profiles_table = key.confrelid and referenced.attnum = any(key.confkey)
inner join pg_catalog.pg_class as relation on key.conrelid = relation.oid
where key.contype = 'f' and key.conparentid = 0
order by 1, 2
