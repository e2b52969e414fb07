-- The foreign keys of the application, and what decides how one of them may be guarded. What a partition inherits from its root
-- is left out. `conenforced` is a column since Postgres 18.
select
    foreign_key.conname as name,
    quote_ident(foreign_key.conname) as quoted,
    format('%I.%I', referencing_space.nspname, referencing.relname) as referencing_table,
    format('%I.%I', referenced_space.nspname, referenced.relname) as referenced_table,
    (
        select array_agg(attribute.attname::text order by listed.position)
        from unnest(foreign_key.conkey) with ordinality as listed (number, position)
        inner join pg_catalog.pg_attribute as attribute
            on attribute.attrelid = foreign_key.conrelid and listed.number = attribute.attnum
    ) as referencing_columns,
    (
        select array_agg(attribute.attname::text order by listed.position)
        from unnest(foreign_key.confkey) with ordinality as listed (number, position)
        inner join pg_catalog.pg_attribute as attribute
            on attribute.attrelid = foreign_key.confrelid and listed.number = attribute.attnum
    ) as referenced_columns,
    foreign_key.condeferrable as is_deferrable,
    foreign_key.condeferred as is_deferred,
    coalesce(to_jsonb(foreign_key) ->> 'conenforced', 'true')::boolean as is_enforced,
    referencing.relispartition as is_of_a_partition,
    pg_get_userbyid(referencing.relowner) as owner,
    pg_has_role(referencing.relowner, current_user, 'member') as owner_is_trusted,
    has_table_privilege(referencing.oid, 'trigger') as may_have_a_trigger
from pg_catalog.pg_constraint as foreign_key
inner join pg_catalog.pg_class as referencing on foreign_key.conrelid = referencing.oid
inner join pg_catalog.pg_namespace as referencing_space on referencing.relnamespace = referencing_space.oid
inner join pg_catalog.pg_class as referenced on foreign_key.confrelid = referenced.oid
inner join pg_catalog.pg_namespace as referenced_space on referenced.relnamespace = referenced_space.oid
where
    foreign_key.contype = 'f'
    and foreign_key.conparentid = 0
    and referencing_space.nspname not in ('pg_catalog', 'information_schema', 'pgmend')
order by referencing_space.nspname, referencing.relname, foreign_key.conname
