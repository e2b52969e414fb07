-- The careful lane's claim: at most $1 events that are due, oldest first, locked until the transaction ends. Those of $2 are
-- passed over where $3 is true, and are the only ones where it is false.
-- Of users whose other events another worker is handling none is claimed: two batches that touch the same users in different
-- order would wait for each other. They are passed over while events are looked for, and not afterwards: the many events of one
-- user whose lock is held would be all that a claim ever saw. Looked at one after the other (offset 0), so that no more users are
-- locked than events claimed.
with chosen as materialized (
    select in_order.event_id
    from (
        select event.event_id, event.source_id, event.user_key, event.available_at
        from pgmend.careful_events as event
        where
            event.available_at <= now()
            and (event.event_id <> all($2::bigint[])) = $3::boolean
            and event.source_id <> all(
                array(
                    select source.source_id
                    from pgmend.profile_sources as source
                    where source.paused_at is not null
                )
            )
        order by event.available_at
        offset 0
    ) as in_order
    where
        pg_try_advisory_xact_lock(
            pg_catalog.hashtextextended(
                pg_catalog.format('pgmend.user %s %s', in_order.source_id, in_order.user_key), 0
            )
        )
    order by in_order.available_at
    limit $1
),

due as materialized (
    select
        event.event_id, event.source_id, event.user_key, event.attempts, event.correlation_id, event.last_failure,
        event.created_at, event.available_at, event.referencing_table, event.constraint_name, event.row_image,
        event.writer_role, event.writer_claims, event.waiting_for, event.user_seen, event.waits_for_event
    from pgmend.careful_events as event
    where
        event.event_id = any(array(select chosen.event_id from chosen))
        and event.available_at <= now()
    for update skip locked
)

select
    due.event_id, due.source_id, due.user_key, due.attempts, nullif(due.correlation_id, '') as correlation_id, due.last_failure,
    extract(epoch from clock_timestamp() - due.created_at)::float8 as age,
    due.referencing_table::text as referencing_table, due.referencing_table::oid::bigint as referencing_oid,
    due.constraint_name, due.row_image::text as row_image,
    due.writer_role, due.writer_claims, due.waiting_for, due.user_seen,
    coalesce(guard.replayed_error_type, 'INSERT_REPLAYED') as replayed_error_type,
    coalesce(extract(epoch from guard.unknown_user_grace), 0)::float8 as unknown_user_grace,
    guard.guard_id is not null as is_guarded,
    case
        when waited_for.event_id is not null then 'waiting'
        when letter.event_id is not null then 'dead'
    end as referenced_capture
from due
left join pgmend.guarded_constraints as guard
    on due.referencing_table::oid = guard.referencing_table::oid and due.constraint_name = guard.constraint_name
left join pgmend.careful_events as waited_for on due.waits_for_event = waited_for.event_id
left join pgmend.dead_letters as letter on due.waits_for_event = letter.event_id
order by due.available_at
