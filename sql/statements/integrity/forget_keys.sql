-- Forgets the foreign keys of references that are not among those of today ($1), and returns those that were valid and are no
-- more: without its key a reference of several columns, or one with a name of its own, is no longer found. A table that is gone
-- has lost nothing.
with forgotten as (
    delete from pgmend.reference_keys as known
    where known.reference <> all($1::text[])
    returning known.reference, known.referencing_table, known.constraint_name, known.is_valid
)

select
    forgotten.reference,
    forgotten.referencing_table,
    null::text as constraint_name,
    false as is_valid,
    forgotten.constraint_name as constraint_before
from forgotten
inner join pg_catalog.pg_namespace as space on starts_with(forgotten.referencing_table, format('%I.', space.nspname))
inner join pg_catalog.pg_class as relation
    on space.oid = relation.relnamespace and forgotten.referencing_table = format('%I.%I', space.nspname, relation.relname)
where
    forgotten.is_valid
    and not exists (
        select from pg_catalog.pg_constraint as foreign_key
        where
            foreign_key.contype = 'f'
            and foreign_key.convalidated
            and foreign_key.conrelid = relation.oid
            and foreign_key.conname = forgotten.constraint_name
    )
order by forgotten.reference
