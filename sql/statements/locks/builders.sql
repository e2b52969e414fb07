-- Who builds the index $1, and who keeps them waiting: as locks/blockers tells it.
with builder as (
    select building.pid
    from pg_catalog.pg_stat_progress_create_index as building
    where building.datname = current_database() and building.index_relid = to_regclass($1::text)
),

concerned as (
    select builder.pid from builder
    union
    select waited_for.pid
    from builder
    cross join lateral unnest(pg_blocking_pids(builder.pid)) as waited_for (pid)
)

select
    activity.pid,
    activity.application_name,
    activity.usename::text as role,
    activity.state,
    extract(epoch from clock_timestamp() - activity.query_start)::float8 as query_seconds,
    extract(epoch from clock_timestamp() - activity.xact_start)::float8 as transaction_seconds
from pg_catalog.pg_stat_activity as activity
inner join concerned on activity.pid = concerned.pid
order by activity.xact_start
