-- The foreign keys that lead to one table ($1), with what a diagnosis and a repair have to know of each. Keys of partitions are
-- left out: their partitioned table's key stands for them. stranger: who owns the referencing table, where that is nobody whose
-- code may run with the rights of this role (no superuser, no member of it, nor the owner of the table that is referred to). The
-- table is found by its name, without the use of its schema: a worker may have none, and counts with lent rights.
with wanted as (
    select relation.oid, relation.relowner
    from pg_catalog.pg_class as relation
    inner join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
    where
        format('%I.%I', space.nspname, relation.relname) = $1::text
        or (format('%I', relation.relname) = $1::text and pg_catalog.pg_table_is_visible(relation.oid))
)

select
    foreign_key.conrelid::regclass::text as referencing_table,
    array_agg(referencing.attname::text order by pair.place) as referencing_columns,
    array_agg(format_type(referencing.atttypid, referencing.atttypmod) order by pair.place) as referencing_types,
    foreign_key.confrelid::regclass::text as referenced_table,
    array_agg(referenced.attname::text order by pair.place) as referenced_columns,
    array_agg(format_type(referenced.atttypid, referenced.atttypmod) order by pair.place) as referenced_types,
    foreign_key.conname::text as constraint_name,
    foreign_key.convalidated as is_validated,
    case foreign_key.confdeltype
        when 'c' then 'cascade'
        when 'n' then 'set null'
        when 'd' then 'set default'
        when 'r' then 'restrict'
        else 'no action'
    end as on_delete,
    foreign_key.condeferrable as is_deferrable,
    relation.relkind = 'p' as is_partitioned,
    not bool_or(referencing.attnotnull) as is_nullable,
    case
        when
            owner.rolsuper
            or pg_has_role(relation.relowner, current_user, 'member')
            or relation.relowner = (select wanted.relowner from wanted) then null
        else owner.rolname::text
    end as stranger
from pg_catalog.pg_constraint as foreign_key
inner join pg_catalog.pg_class as relation on foreign_key.conrelid = relation.oid
inner join pg_catalog.pg_roles as owner on relation.relowner = owner.oid
cross join
    lateral unnest(foreign_key.conkey, foreign_key.confkey)
    with ordinality as pair (referencing_number, referenced_number, place)
inner join pg_catalog.pg_attribute as referencing
    on foreign_key.conrelid = referencing.attrelid and pair.referencing_number = referencing.attnum
inner join pg_catalog.pg_attribute as referenced
    on foreign_key.confrelid = referenced.attrelid and pair.referenced_number = referenced.attnum
where
    foreign_key.contype = 'f'
    and foreign_key.conparentid = 0
    and foreign_key.confrelid = (select wanted.oid from wanted)
group by
    foreign_key.oid, foreign_key.conrelid, foreign_key.confrelid, foreign_key.conname, foreign_key.convalidated,
    foreign_key.confdeltype, foreign_key.condeferrable, relation.relkind, relation.relowner, owner.rolname, owner.rolsuper
order by referencing_table, constraint_name
