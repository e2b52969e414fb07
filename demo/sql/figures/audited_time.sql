-- From the event to its effect, in milliseconds, as the audit entries of type $1 say (waited_ms): for servers that keep no commit
-- timestamps. The commits themselves are not in it.
select
    count(*) as events,
    percentile_cont(0.5) within group (order by waited.ms) as p50,
    percentile_cont(0.99) within group (order by waited.ms) as p99,
    max(waited.ms) as longest
from (
    select (details ->> 'waited_ms')::float8 as ms
    from public.error_logs
    where error_type = $1
) as waited
