-- From the commit of the capture to the commit of the replayed row, in milliseconds, by commit timestamps. Conversations are left
-- out: they also waited for an admin.
select
    count(*) as events,
    percentile_cont(0.5) within group (order by waited.ms) as p50,
    percentile_cont(0.99) within group (order by waited.ms) as p99,
    max(waited.ms) as longest
from (
    select
        1000 * extract(
            epoch from pg_xact_commit_timestamp(replayed.xmin) - pg_xact_commit_timestamp(captured.xmin)
        )::float8 as ms
    from public.error_logs as replayed
    inner join public.error_logs as captured on replayed.event_id = captured.event_id
    where replayed.error_type = 'INSERT_REPLAYED' and captured.error_type = 'FOREIGN_KEY_VIOLATION_CAPTURED'
) as waited
