-- All that metrics and probes read of the database, in one row. A worker is alive if it was seen as lately as it promises itself;
-- events and dead letters are counted up to $1, sources and references listed up to $2.
with express as (
    select event_id
    from pgmend.express_events
    order by event_id
    limit $1
),

careful as (
    select event_id
    from pgmend.careful_events
    order by event_id
    limit $1
),

oldest_express as (
    select created_at as due_at
    from pgmend.express_events
    order by event_id
    limit 1
),

oldest_careful as (
    select available_at as due_at
    from pgmend.careful_events
    order by available_at
    limit 1
),

letters as (
    select verdict
    from pgmend.dead_letters
    order by event_id
    limit $1
),

by_verdict as (
    select
        verdict,
        count(*) as letters
    from letters
    group by verdict
),

sources as (
    select
        source.source_id,
        source.users_table::text as users_table,
        source.profiles_table::text as profiles_table,
        source.paused_at is not null as is_paused,
        source.paused_because,
        counted.users,
        counted.without_profile,
        counted.overdue,
        coalesce(extract(epoch from clock_timestamp() - counted.overdue_since), 0)::float8 as overdue_age,
        extract(epoch from clock_timestamp() - counted.counted_at)::float8 as counted_age,
        'SQLSTATE ' || failure.sqlstate || ': ' || failure.message as failure,
        extract(epoch from clock_timestamp() - failure.failing_since)::float8 as failing_age,
        coalesce(failure.events, 0) as failing_events
    from pgmend.profile_sources as source
    left join pgmend.user_counts as counted on source.source_id = counted.source_id
    left join pgmend.source_failures as failure on source.source_id = failure.source_id
    order by source.source_id
    limit $2
),

by_reference as (
    select
        reference,
        orphans,
        coalesce(extract(epoch from clock_timestamp() - orphans_since), 0)::float8 as orphans_age,
        extract(epoch from clock_timestamp() - counted_at)::float8 as counted_age
    from pgmend.orphan_counts
    order by orphans desc, reference asc
    limit $2
)

select
    (select max(applied.version) from pgmend.migrations as applied) as schema_version,
    (select count(*) from express) as express_events,
    (select count(*) from careful) as careful_events,
    greatest(
        extract(
            epoch from clock_timestamp()
            - least((select oldest_express.due_at from oldest_express), (select oldest_careful.due_at from oldest_careful))
        ),
        0
    )::float8 as oldest_due_age,
    (select coalesce(json_object_agg(by_verdict.verdict, by_verdict.letters), '{}') from by_verdict)::text as dead_letters,
    (select coalesce(json_agg(to_json(sources) order by sources.source_id), '[]') from sources)::text as sources,
    (select coalesce(json_agg(to_json(by_reference) order by by_reference.reference), '[]') from by_reference)::text as orphans,
    count(*) as workers_alive,
    count(*) filter (where worker.listening) as workers_listening,
    coalesce(pg_catalog.pg_sequence_last_value('pgmend.doorbell_lease'), 0) as lease
from pgmend.workers as worker
where worker.stopped_at is null and worker.seen_at > clock_timestamp() - worker.silent_after
