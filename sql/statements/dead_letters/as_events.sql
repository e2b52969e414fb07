-- Dead letters ($1) as the events that a requeue would make of them, in the columns of the claim (outbox/claim.sql).
select
    letter.event_id, letter.source_id, letter.user_key, 0 as attempts, nullif(letter.correlation_id, '') as correlation_id,
    null::text as last_failure, extract(epoch from clock_timestamp() - letter.created_at)::float8 as age,
    letter.referencing_table::text as referencing_table, letter.referencing_table::oid::bigint as referencing_oid,
    letter.constraint_name, letter.row_image::text as row_image,
    letter.writer_role, letter.writer_claims, letter.waiting_for, letter.user_seen,
    coalesce(guard.replayed_error_type, 'INSERT_REPLAYED') as replayed_error_type,
    coalesce(extract(epoch from guard.unknown_user_grace), 0)::float8 as unknown_user_grace,
    guard.guard_id is not null as is_guarded,
    case
        when waited_for.event_id is not null then 'waiting'
        when other.event_id is not null then 'dead'
    end as referenced_capture
from pgmend.dead_letters as letter
left join pgmend.guarded_constraints as guard
    on letter.referencing_table::oid = guard.referencing_table::oid and letter.constraint_name = guard.constraint_name
left join pgmend.careful_events as waited_for on letter.waits_for_event = waited_for.event_id
left join pgmend.dead_letters as other on letter.waits_for_event = other.event_id
where letter.event_id = any($1::bigint[])
order by letter.event_id
