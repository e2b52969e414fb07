-- Keeps how many orphans each reference has, and returns those whose number has changed, with the one before: none where it was
-- never counted.
with counted as (
    select listed.reference, listed.referencing_table, listed.constraint_name, listed.orphans
    from
        unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            as listed (reference, referencing_table, constraint_name, orphans)
),

known as materialized (
    select kept.reference, kept.orphans
    from pgmend.orphan_counts as kept
    inner join counted on kept.reference = counted.reference
),

kept as (
    insert into pgmend.orphan_counts as earlier
    (reference, referencing_table, constraint_name, orphans, orphans_since, counted_at)
    select
        counted.reference, counted.referencing_table, counted.constraint_name, counted.orphans,
        case when counted.orphans > 0 then clock_timestamp() end,
        clock_timestamp()
    from counted
    on conflict (reference) do update set
        referencing_table = excluded.referencing_table,
        constraint_name = excluded.constraint_name,
        orphans = excluded.orphans,
        orphans_since = case when excluded.orphans > 0 then coalesce(earlier.orphans_since, excluded.orphans_since) end,
        counted_at = excluded.counted_at
)

select
    counted.reference,
    coalesce(known.orphans, 0) as orphans_before
from counted
left join known on counted.reference = known.reference
where counted.orphans <> coalesce(known.orphans, 0)
order by counted.reference
