-- From the commit of the sign-up to the commit of its profile, in milliseconds: exact, by the server's commit timestamps.
select
    count(*) as events,
    percentile_cont(0.5) within group (order by waited.ms) as p50,
    percentile_cont(0.99) within group (order by waited.ms) as p99,
    max(waited.ms) as longest
from (
    select
        1000 * extract(
            epoch from pg_xact_commit_timestamp(entry.xmin) - pg_xact_commit_timestamp(users.xmin)
        )::float8 as ms
    from public.error_logs as entry
    inner join public.users as users on entry.user_id = users.id::text
    where entry.error_type = 'MISSING_PROFILE_CREATED' and users.deleted_at is null
) as waited
