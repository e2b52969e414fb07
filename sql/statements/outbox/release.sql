-- Gives events back: claimable again after their delay (seconds), with the attempt counted and the failure kept.
update pgmend.careful_events as event
set
    attempts = event.attempts + 1,
    available_at = clock_timestamp() + pg_catalog.make_interval(secs => released.delay),
    last_failure = released.failure::jsonb,
    waiting_for = coalesce(released.waiting_for, event.waiting_for),
    waits_for_event = coalesce(released.waits_for_event, event.waits_for_event)
from
    unnest($1::bigint[], $2::float8[], $3::text[], $4::text[], $5::bigint[])
        as released (event_id, delay, failure, waiting_for, waits_for_event)
where event.event_id = released.event_id
