-- Keeps which foreign key holds each reference of today, and returns those that a valid key held before and holds no more, or the
-- other way round. A reference that two keys hold is held by the valid one.
with present as (
    select distinct on (listed.reference) listed.reference, listed.referencing_table, listed.constraint_name, listed.is_valid
    from
        unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
            as listed (reference, referencing_table, constraint_name, is_valid)
    order by listed.reference asc, listed.is_valid desc
),

known as materialized (
    select kept.reference, kept.constraint_name, kept.is_valid
    from pgmend.reference_keys as kept
    inner join present on kept.reference = present.reference
),

kept as (
    insert into pgmend.reference_keys as earlier (reference, referencing_table, constraint_name, is_valid)
    select
        present.reference, present.referencing_table, present.constraint_name, present.is_valid
    from present
    on conflict (reference) do update set
        referencing_table = excluded.referencing_table,
        constraint_name = excluded.constraint_name,
        is_valid = excluded.is_valid
    where (earlier.constraint_name, earlier.is_valid) is distinct from (excluded.constraint_name, excluded.is_valid)
)

select
    present.reference, present.referencing_table, present.constraint_name, present.is_valid,
    known.constraint_name as constraint_before
from present
inner join known on present.reference = known.reference
where known.is_valid <> present.is_valid
order by present.reference
