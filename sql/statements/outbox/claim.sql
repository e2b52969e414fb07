-- The careful lane's claim: at most $1 events that are due, oldest first, locked until the transaction ends.
select
    event.event_id, event.source_id, event.user_key, event.attempts, event.correlation_id, event.last_failure,
    extract(epoch from clock_timestamp() - event.created_at)::float8 as age,
    event.referencing_table::text as referencing_table, event.constraint_name, event.row_image::text as row_image,
    event.writer_role, event.writer_claims, event.waiting_for,
    coalesce(guard.replayed_error_type, 'INSERT_REPLAYED') as replayed_error_type,
    coalesce(extract(epoch from guard.unknown_user_grace), 0)::float8 as unknown_user_grace
from pgmend.outbox as event
left join pgmend.guarded_constraints as guard
    on event.referencing_table = guard.referencing_table and event.constraint_name = guard.constraint_name
where event.lane = 'careful' and event.available_at <= now()
order by event.available_at
limit $1
for update of event skip locked
