-- Who keeps the backend $1 waiting: process, program, role, what it is doing and since when. No query text, which quotes values.
select
    activity.pid,
    activity.application_name,
    activity.usename::text as role,
    activity.state,
    extract(epoch from clock_timestamp() - activity.query_start)::float8 as query_seconds,
    extract(epoch from clock_timestamp() - activity.xact_start)::float8 as transaction_seconds
from pg_catalog.pg_stat_activity as activity
where activity.pid = any(pg_blocking_pids($1::integer))
order by activity.xact_start
