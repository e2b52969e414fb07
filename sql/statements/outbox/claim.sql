-- The careful lane's claim: at most $1 events that are due, oldest first, locked until the transaction ends.
-- Of users whose other events another worker is handling none is claimed: two batches that touch the same users in different
-- order would wait for each other.
with due as materialized (
    select
        event_id, source_id, user_key, attempts, correlation_id, last_failure, created_at, available_at,
        referencing_table, constraint_name, row_image, writer_role, writer_claims, waiting_for, user_seen
    from pgmend.careful_events
    where available_at <= now()
    order by available_at
    limit $1
    for update skip locked
)

select
    due.event_id, due.source_id, due.user_key, due.attempts, nullif(due.correlation_id, '') as correlation_id, due.last_failure,
    extract(epoch from clock_timestamp() - due.created_at)::float8 as age,
    due.referencing_table::text as referencing_table, due.constraint_name, due.row_image::text as row_image,
    due.writer_role, due.writer_claims, due.waiting_for, due.user_seen,
    coalesce(guard.replayed_error_type, 'INSERT_REPLAYED') as replayed_error_type,
    coalesce(extract(epoch from guard.unknown_user_grace), 0)::float8 as unknown_user_grace
from due
left join pgmend.guarded_constraints as guard
    on due.referencing_table = guard.referencing_table and due.constraint_name = guard.constraint_name
where pg_try_advisory_xact_lock(hashtextextended(format('pgmend.user %s %s', due.source_id, due.user_key), 0))
order by due.available_at
