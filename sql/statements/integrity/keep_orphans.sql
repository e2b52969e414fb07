-- Keeps how many orphans each reference has. A reference that is listed twice, under two keys, has the same orphans twice.
insert into pgmend.orphan_counts as known
(reference, referencing_table, constraint_name, orphans, orphans_since, counted_at)
select distinct on (counted.reference)
    counted.reference, counted.referencing_table, counted.constraint_name, counted.orphans,
    case when counted.orphans > 0 then clock_timestamp() end,
    clock_timestamp()
from
    unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
        as counted (reference, referencing_table, constraint_name, orphans)
order by counted.reference asc, counted.orphans desc
on conflict (reference) do update set
    referencing_table = excluded.referencing_table,
    constraint_name = excluded.constraint_name,
    orphans = excluded.orphans,
    orphans_since = case when excluded.orphans > 0 then coalesce(known.orphans_since, excluded.orphans_since) end,
    counted_at = excluded.counted_at
