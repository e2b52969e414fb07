-- Columns that look as if they should refer to one table ($1, its key $2), and have no foreign key at all: those named as a
-- column that does refer to it, or as one of $3. Tables of the system, of pgmend, temporary ones, the table itself and partitions
-- are left out. The table is found by its name, without the use of its schema.
with wanted as (
    select relation.oid, relation.relowner
    from pg_catalog.pg_class as relation
    inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
    where
        format('%I.%I', space.nspname, relation.relname) = $1::text
        or (format('%I', relation.relname) = $1::text and pg_catalog.pg_table_is_visible(relation.oid))
),

declared as (
    select distinct attribute.attname
    from pg_catalog.pg_constraint as foreign_key
    inner join pg_catalog.pg_attribute as attribute
        on foreign_key.conrelid = attribute.attrelid and attribute.attnum = any(foreign_key.conkey)
    where
        foreign_key.contype = 'f'
        and foreign_key.confrelid = (select wanted.oid from wanted)
        and cardinality(foreign_key.conkey) = 1
        and foreign_key.conrelid <> foreign_key.confrelid
)

select
    relation.oid::regclass::text as referencing_table,
    array[attribute.attname::text] as referencing_columns,
    array[format_type(attribute.atttypid, attribute.atttypmod)] as referencing_types,
    referenced.attrelid::regclass::text as referenced_table,
    array[referenced.attname::text] as referenced_columns,
    array[format_type(referenced.atttypid, referenced.atttypmod)] as referenced_types,
    null::text as constraint_name,
    false as is_validated,
    'no action' as on_delete,
    false as is_deferrable,
    relation.relkind = 'p' as is_partitioned,
    not attribute.attnotnull as is_nullable,
    case
        when
            owner.rolsuper
            or pg_has_role(relation.relowner, current_user, 'member')
            or relation.relowner = (select wanted.relowner from wanted) then null
        else owner.rolname::text
    end as stranger
from pg_catalog.pg_class as relation
inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
inner join pg_catalog.pg_roles as owner on relation.relowner = owner.oid
inner join pg_catalog.pg_attribute as attribute on relation.oid = attribute.attrelid
inner join pg_catalog.pg_attribute as referenced
    on referenced.attrelid = (select wanted.oid from wanted) and referenced.attname = $2
where
    relation.relkind in ('r', 'p')
    and not relation.relispartition
    and relation.relpersistence <> 't'
    and relation.oid <> (select wanted.oid from wanted)
    and space.nspname !~ '^pg_'
    and space.nspname not in ('information_schema', 'pgmend')
    and attribute.attnum > 0
    and not attribute.attisdropped
    and (attribute.attname in (select declared.attname from declared) or attribute.attname = any($3::text[]))
    and not exists (
        select
        from pg_catalog.pg_constraint as foreign_key
        where
            foreign_key.conrelid = relation.oid
            and foreign_key.contype = 'f'
            and attribute.attnum = any(foreign_key.conkey)
    )
order by referencing_table, attribute.attnum
