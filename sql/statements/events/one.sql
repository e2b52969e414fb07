-- One event of either lane ($1), with what a captured row holds.
select
    event.event_id, event.source_id, event.kind, event.lane, event.user_key,
    case
        when source.paused_at is not null then 'paused'
        when event.waiting_for is not null or event.waits_for_event is not null then 'waiting'
        when event.available_at > clock_timestamp() then 'later'
        else 'due'
    end as state,
    event.attempts, event.available_at, event.created_at, nullif(event.correlation_id, '') as correlation_id,
    event.last_failure::text as last_failure, event.referencing_table::text as referencing_table,
    event.constraint_name, event.writer_role, event.waiting_for, event.waits_for_event,
    event.row_image::text as row_image, event.writer_claims
from pgmend.outbox as event
left join pgmend.profile_sources as source on event.source_id = source.source_id
where event.event_id = $1
