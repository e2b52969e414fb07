-- The referencing table ($1) and, where it is partitioned, everything below it, the root first. For each the names that a key (as
-- $3, else as Postgres names one) and an index on the columns ($2) would get: the first that nothing else has.
with relation as (
    select
        class.oid, class.relname, class.relnamespace, class.relkind, class.relowner, space.nspname,
        coalesce(tree.level, 0) as level,
        tree.parentrelid as above
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as space on class.relnamespace = space.oid
    left join pg_catalog.pg_partition_tree($1::text::regclass) as tree on class.oid = tree.relid
    where class.oid = $1::text::regclass or tree.relid is not null
),

plain as (
    select
        relation.oid, relation.relnamespace,
        coalesce($3::text, format('%s_%s_fkey', root.relname, array_to_string($2::text[], '_'))) as key_name,
        format('%s_by_%s', relation.relname, array_to_string($2::text[], '_')) as index_name
    from relation
    inner join pg_catalog.pg_class as root on root.oid = $1::text::regclass
),

short as (
    select
        plain.oid, plain.relnamespace,
        case
            when octet_length(plain.key_name) > 60 and $3::text is null then format('key_%s', md5(plain.key_name))
            else plain.key_name
        end as key_name,
        case
            when octet_length(plain.index_name) > 60 then format('index_%s', md5(plain.index_name)) else plain.index_name
        end as index_name
    from plain
),

candidate as (
    select
        short.oid, short.relnamespace, numbered.number,
        short.key_name || coalesce(nullif(numbered.number, 0)::text, '') as key_name,
        short.index_name || coalesce('_' || nullif(numbered.number, 0)::text, '') as index_name
    from short
    cross join generate_series(0, 20) as numbered (number)
),

free_key as (
    select distinct on (candidate.oid) candidate.oid, candidate.key_name as name
    from candidate
    where
        not exists (
            select
            from pg_catalog.pg_constraint as taken
            where taken.conrelid = candidate.oid and candidate.key_name = taken.conname
        )
    order by candidate.oid, candidate.number
),

free_index as (
    select distinct on (candidate.oid) candidate.oid, candidate.index_name as name
    from candidate
    where
        not exists (
            select
            from pg_catalog.pg_class as taken
            left join pg_catalog.pg_index as rule on taken.oid = rule.indexrelid
            where
                taken.relnamespace = candidate.relnamespace
                and candidate.index_name = taken.relname
                and (
                    rule.indrelid is distinct from candidate.oid
                    or rule.indisunique
                    or rule.indpred is not null
                    or array(
                        select coalesce(attribute.attname::text, '')
                        from unnest(rule.indkey) with ordinality as listed (number, place)
                        left join pg_catalog.pg_attribute as attribute
                            on rule.indrelid = attribute.attrelid and listed.number = attribute.attnum
                        order by listed.place
                    ) <> $2::text[]
                )
        )
    order by candidate.oid, candidate.number
)

select
    format('%I.%I', relation.nspname, relation.relname) as table,
    case relation.relkind when 'r' then 'table' when 'p' then 'partitioned' else 'other' end as kind,
    case when relation.level > 0 then format('%I.%I', above_space.nspname, above.relname) end as above,
    pg_has_role(relation.relowner, 'usage') as is_ours,
    free_key.name as key_name,
    format('%I.%I', relation.nspname, free_index.name) as index_name
from relation
inner join free_key on relation.oid = free_key.oid
inner join free_index on relation.oid = free_index.oid
left join pg_catalog.pg_class as above on relation.above = above.oid
left join pg_catalog.pg_namespace as above_space on above.relnamespace = above_space.oid
order by relation.level, relation.nspname, relation.relname
