-- Rows, and healed profiles, by which the audit and what was done differ.
with done as (
    select
        (select count(*) from demo.taken() as taken) as taken_rows,
        (
            select count(*)
            from demo.entitled as entitled
            inner join public.profiles as profile on entitled.person = profile.id
        ) as healed
),

said as (
    select
        coalesce(sum((entry.details ->> 'rows')::bigint + (entry.details ->> 'rows_along')::bigint), 0) as taken_rows,
        count(*) filter (
            where entry.error_type = 'MISSING_PROFILE_CREATED' and entry.details ->> 'lane' = 'repair'
        ) as healed
    from public.error_logs as entry
    where entry.details ? 'repair_id'
)

select
    (abs(done.taken_rows - said.taken_rows) + abs(done.healed - said.healed))::bigint as found,
    done.taken_rows + done.healed as checked
from done
cross join said
