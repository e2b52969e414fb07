-- The foreign keys that say the same as one reference ($1 table, $2 columns, $3 referenced table, $4 columns; pairs in any
-- order), on the referencing table and everything below it. Since Postgres 18 a key may stand and not be enforced.
with key as (
    select constrained.*
    from pg_catalog.pg_constraint as constrained
    where
        constrained.contype = 'f'
        and constrained.confrelid = $3::text::regclass
        and (
            constrained.conrelid = $1::text::regclass
            or constrained.conrelid in (select tree.relid from pg_catalog.pg_partition_tree($1::text::regclass) as tree)
        )
),

said as (
    select key.oid, array_agg(format('%s=%s', referencing.attname, referenced.attname)) as pairs
    from key
    cross join unnest(key.conkey, key.confkey) as pair (referencing_number, referenced_number)
    inner join pg_catalog.pg_attribute as referencing
        on key.conrelid = referencing.attrelid and pair.referencing_number = referencing.attnum
    inner join pg_catalog.pg_attribute as referenced
        on key.confrelid = referenced.attrelid and pair.referenced_number = referenced.attnum
    group by key.oid
),

wanted as (
    select array_agg(format('%s=%s', listed.referencing_column, listed.referenced_column)) as pairs
    from unnest($2::text[], $4::text[]) as listed (referencing_column, referenced_column)
)

select
    format('%I.%I', space.nspname, class.relname) as table,
    key.conname::text as name,
    key.convalidated as is_validated,
    case key.confdeltype
        when 'c' then 'cascade'
        when 'n' then 'set null'
        when 'd' then 'set default'
        when 'r' then 'restrict'
        else 'no action'
    end as on_delete,
    case when key.condeferred then 'deferred' when key.condeferrable then 'deferrable' else 'immediate' end as checked,
    key.confupdtype <> 'a' or key.confmatchtype <> 's' as is_peculiar,
    key.conparentid <> 0 as is_inherited,
    coalesce((to_jsonb(key) ->> 'conenforced')::boolean, true) as is_enforced
from key
inner join said on key.oid = said.oid
inner join wanted on said.pairs @> wanted.pairs and said.pairs <@ wanted.pairs
inner join pg_catalog.pg_class as class on key.conrelid = class.oid
inner join pg_catalog.pg_namespace as space on class.relnamespace = space.oid
order by space.nspname, class.relname, key.conname
