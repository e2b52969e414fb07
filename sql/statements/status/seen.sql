-- How the installation stands at this moment, in one row. Whatever could be many is counted up to a bound and one more, by an
-- index: $1 events of each lane and dead letters of each verdict, $2 effects of each minute. Time to integrity is what the audit
-- entries say (waited_ms), of the last $3 healed profiles of each minute. A worker is silent after as long as it says itself.
-- Users and orphans are as the sweep counted them last.
with recursive oldest as (
    select event.created_at
    from (
        select created_at
        from pgmend.express_events
        order by event_id
        limit 1
    ) as event
    union all
    select event.created_at
    from (
        select created_at
        from pgmend.careful_events
        order by event_id
        limit $1::integer
    ) as event
),

-- From one verdict to the next by the index, without a look at every letter.
verdicts (verdict) as (
    (
        select verdict
        from pgmend.dead_letters
        order by verdict
        limit 1
    )
    union all
    select (
        select letter.verdict
        from pgmend.dead_letters as letter
        where letter.verdict > verdicts.verdict
        order by letter.verdict
        limit 1
    )
    from verdicts
    where verdicts.verdict is not null
),

-- In the order of the index by verdict: to the planner the key's own index would do as well, which passes over all other letters.
-- Computed once, for the list and its order.
letters as materialized (
    select
        verdicts.verdict,
        (
            select count(*)
            from (
                select letter.event_id
                from pgmend.dead_letters as letter
                where letter.verdict >= verdicts.verdict and letter.verdict <= verdicts.verdict
                order by letter.verdict, letter.event_id
                limit $1::integer + 1
            ) as found
        ) as letters,
        (
            select letter.dead_at
            from pgmend.dead_letters as letter
            where letter.verdict <= verdicts.verdict
            order by letter.verdict desc, letter.event_id desc
            limit 1
        ) as newest_at,
        (
            select letter.hint
            from pgmend.dead_letters as letter
            where letter.verdict <= verdicts.verdict
            order by letter.verdict desc, letter.event_id desc
            limit 1
        ) as hint
    from verdicts
    where verdicts.verdict is not null
),

replayed_types as materialized (
    select 'INSERT_REPLAYED' as error_type
    union
    select guard.replayed_error_type
    from pgmend.guarded_constraints as guard
),

minutes as (
    select
        minute.began,
        (
            select count(*)
            from (
                select entry.created_at
                from pgmend.audit_entries as entry
                where
                    entry.error_type = 'MISSING_PROFILE_CREATED'
                    and entry.created_at >= minute.began
                    and entry.created_at < minute.began + interval '1 minute'
                order by entry.created_at
                limit $2::integer + 1
            ) as found
        ) as healed,
        (
            select percentile_cont(array[0.5, 0.99]) within group (order by found.ms)
            from (
                select
                    case
                        when jsonb_typeof(entry.details -> 'waited_ms') = 'number'
                            then least((entry.details ->> 'waited_ms')::numeric, 1e15)::float8
                    end as ms
                from pgmend.audit_entries as entry
                where
                    entry.error_type = 'MISSING_PROFILE_CREATED'
                    and entry.created_at >= minute.began
                    and entry.created_at < minute.began + interval '1 minute'
                order by entry.created_at desc
                limit $3
            ) as found
        ) as waited
    from
        generate_series(
            date_trunc('minute', statement_timestamp()) - interval '59 minutes', date_trunc('minute', statement_timestamp()),
            interval '1 minute'
        ) as minute (began)
),

replayed as (
    select
        minutes.began,
        (
            select count(*)
            from (
                select entry.created_at
                from pgmend.audit_entries as entry
                where
                    entry.error_type = replayed_types.error_type
                    and entry.created_at >= minutes.began
                    and entry.created_at < minutes.began + interval '1 minute'
                order by entry.created_at
                limit $2::integer + 1
            ) as found
        ) as effects
    from minutes
    cross join replayed_types
),

all_replayed as (
    select began, sum(effects) as effects
    from replayed
    group by began
),

workers as (
    select
        worker_id,
        host,
        pid,
        version,
        started_at,
        seen_at,
        case
            when stopped_at is not null then 'stopped'
            when seen_at < statement_timestamp() - silent_after then 'silent'
            when listening then 'listening'
            else 'polling'
        end as state
    from pgmend.workers
    where seen_at > statement_timestamp() - interval '1 day'
),

finds as (
    select entry.created_at, (entry.details ->> 'source_id')::integer as source_id, (entry.details ->> 'users')::bigint as users
    from pgmend.audit_entries as entry
    where
        entry.error_type = 'USERS_WITHOUT_PROFILE_DETECTED'
        and entry.details ->> 'source_id' ~ '^[0-9]{1,9}$'
        and entry.details ->> 'users' ~ '^[0-9]{1,18}$'
    order by entry.created_at desc
    limit 5
)

select
    statement_timestamp() as seen_at,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'source_id', source.source_id, 'users_table', source.users_table::text,
                    'profiles_table', source.profiles_table::text, 'paused_at', source.paused_at,
                    'paused_because', source.paused_because, 'users', counts.users,
                    'without_profile', counts.without_profile, 'overdue', counts.overdue, 'overdue_since', counts.overdue_since,
                    'counted_at', counts.counted_at, 'failing_since', failure.failing_since,
                    'failure', 'SQLSTATE ' || failure.sqlstate || ': ' || failure.message,
                    'failing_events', coalesce(failure.events, 0)
                )
                order by source.source_id
            )
        from pgmend.profile_sources as source
        left join pgmend.user_counts as counts on source.source_id = counts.source_id
        left join pgmend.source_failures as failure on source.source_id = failure.source_id
    ) as sources,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'reference', counts.reference, 'orphans', counts.orphans, 'orphans_since', counts.orphans_since,
                    'counted_at', counts.counted_at
                )
                order by counts.reference
            )
        from pgmend.orphan_counts as counts
    ) as orphans,
    (
        select count(*)
        from (
            select event_id
            from pgmend.express_events
            order by event_id
            limit $1::integer + 1
        ) as found
    ) as express,
    (
        select count(*)
        from (
            select event_id
            from pgmend.careful_events
            order by event_id
            limit $1::integer + 1
        ) as found
    ) as careful,
    (
        select extract(epoch from statement_timestamp() - min(oldest.created_at))::float8
        from oldest
    ) as oldest_age,
    (
        select extract(epoch from statement_timestamp() - oldest_due.due_at)::float8
        from pgmend.oldest_due_event as oldest_due
    ) as overdue,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'worker_id', seen.worker_id, 'host', seen.host, 'pid', seen.pid, 'version', seen.version,
                    'state', seen.state, 'started_at', seen.started_at,
                    'seen_ago', extract(epoch from statement_timestamp() - seen.seen_at)::float8
                )
                order by seen.started_at, seen.worker_id
            )
        from workers as seen
    ) as workers,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'verdict', letters.verdict, 'letters', letters.letters, 'newest_at', letters.newest_at, 'hint', letters.hint
                )
                order by letters.letters desc, letters.verdict asc
            )
        from letters
    ) as letters,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'began', minutes.began, 'healed', minutes.healed, 'replayed', all_replayed.effects,
                    'p50_ms', minutes.waited[1], 'p99_ms', minutes.waited[2]
                )
                order by minutes.began
            )
        from minutes
        inner join all_replayed on minutes.began = all_replayed.began
    ) as minutes,
    (
        select
            jsonb_agg(
                jsonb_build_object('at', finds.created_at, 'source_id', finds.source_id, 'users', finds.users)
                order by finds.created_at desc
            )
        from finds
    ) as finds
