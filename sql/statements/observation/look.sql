-- All that metrics and probes read of the database, in one row. A worker is alive if it was seen within the last $1 seconds; events
-- and dead letters are counted up to $2, sources and references listed up to $3.
select
    (select max(applied.version) from pgmend.migrations as applied) as schema_version,
    (select count(*) from (select from pgmend.express_events limit $2) as event) as express_events,
    (select count(*) from (select from pgmend.careful_events limit $2) as event) as careful_events,
    greatest(extract(epoch from clock_timestamp() - least(
        (select event.created_at from pgmend.express_events as event order by event.event_id limit 1),
        (select event.available_at from pgmend.careful_events as event order by event.available_at limit 1)
    )), 0)::float8 as oldest_due_age,
    (
        select coalesce(json_object_agg(by_verdict.verdict, by_verdict.letters), '{}')
        from (
            select counted.verdict, count(*) as letters
            from (select letter.verdict from pgmend.dead_letters as letter limit $2) as counted
            group by counted.verdict
        ) as by_verdict
    )::text as dead_letters,
    (
        select coalesce(json_agg(to_json(listed) order by listed.source_id), '[]')
        from (
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
                extract(epoch from clock_timestamp() - counted.counted_at)::float8 as counted_age
            from pgmend.profile_sources as source
            left join pgmend.user_counts as counted on source.source_id = counted.source_id
            order by source.source_id
            limit $3
        ) as listed
    )::text as sources,
    (
        select coalesce(json_agg(to_json(listed) order by listed.reference), '[]')
        from (
            select
                counted.reference,
                counted.orphans,
                coalesce(extract(epoch from clock_timestamp() - counted.orphans_since), 0)::float8 as orphans_age,
                extract(epoch from clock_timestamp() - counted.counted_at)::float8 as counted_age
            from pgmend.orphan_counts as counted
            order by counted.orphans desc, counted.reference asc
            limit $3
        ) as listed
    )::text as orphans,
    worker.alive as workers_alive,
    worker.listening as workers_listening,
    coalesce(pg_catalog.pg_sequence_last_value('pgmend.doorbell_lease'), 0) as lease
from (
    select
        count(*) as alive,
        count(*) filter (where known.listening) as listening
    from pgmend.workers as known
    where known.seen_at > clock_timestamp() - pg_catalog.make_interval(secs => $1::float8)
) as worker
