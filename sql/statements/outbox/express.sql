-- The express lane: claims sign-ups in the order of their ids above $1, at most $2, builds the missing profiles set-wise, writes
-- the audit entries, acknowledges what is settled, and hands the rest to the careful lane with the failure as evidence.
-- Of the first $3 that carry what may be a traceparent it is returned, cut behind what tells whether it is one.
-- Row locks on the claimed events only; events that another worker holds are passed over.
with paused as materialized (
    select array(
        select source.source_id
        from pgmend.profile_sources as source
        where source.paused_at is not null
    ) as source_ids
),

claimed as materialized (
    select
        event.event_id, event.source_id, event.user_key, event.created_at,
        nullif(event.correlation_id, '') as correlation_id
    from pgmend.express_events as event
    where
        event.event_id > $1
        and event.source_id <> all((select paused.source_ids from paused)::integer[])
    order by event.event_id
    limit $2
    for update skip locked
),

asked as (
    select source_id, pg_catalog.array_agg(user_key) as user_keys
    from claimed
    group by source_id
),

answered as materialized (
    select asked.source_id, answer.user_key, answer.outcome, answer.failure
    from asked
    cross join lateral pgmend.heal_users(asked.source_id, asked.user_keys) as answer
),

settled as materialized (
    select
        claimed.event_id, claimed.source_id, claimed.user_key, claimed.created_at, claimed.correlation_id,
        answered.outcome, answered.failure
    from claimed
    left join answered on claimed.source_id = answered.source_id and claimed.user_key = answered.user_key
),

audited as (
    insert into pgmend.audit_entries
    (error_type, severity, user_id, message, details, attempt, event_id, correlation_id)
    select distinct on (settled.source_id, settled.user_key)
        'MISSING_PROFILE_CREATED', 'info', settled.user_key, 'the missing profile was created',
        pg_catalog.jsonb_build_object(
            'verdict', 'healed', 'source_id', settled.source_id, 'lane', 'express',
            'waited_ms', round(extract(epoch from clock_timestamp() - settled.created_at) * 1000.0)
        ),
        1, settled.event_id, settled.correlation_id
    from settled
    where settled.outcome = 'healed'
    order by settled.source_id, settled.user_key, settled.event_id
),

removed as (
    delete from pgmend.express_events as event
    where event.event_id = any(array(select settled.event_id from settled))
),

left_over as (
    insert into pgmend.careful_events (event_id, source_id, kind, user_key, created_at, correlation_id, last_failure)
    select
        settled.event_id, settled.source_id, 'user_created', settled.user_key, settled.created_at, settled.correlation_id,
        settled.failure
    from settled
    where settled.outcome is null or settled.outcome = 'failed'
)

select
    count(*) as claimed,
    count(*) filter (where outcome = 'healed') as healed,
    count(*) filter (where outcome = 'already_whole') as already_whole,
    max(event_id) as last_event_id,
    coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as oldest_waited,
    coalesce(
        array_agg(date_part('epoch', statement_timestamp() - created_at)) filter (where outcome = 'healed'), '{}'
    ) as healed_after,
    array(
        select pg_catalog.left(claimed.correlation_id, 56)
        from claimed
        where claimed.correlation_id like '__-%'
        order by claimed.event_id
        limit $3
    ) as traceparents,
    extract(epoch from (
        select event.available_at
        from pgmend.careful_events as event
        where event.source_id <> all((select paused.source_ids from paused)::integer[])
        order by event.available_at
        limit 1
    ) - clock_timestamp())::float8 as careful_due_in
from settled
