-- Captured events that were not settled by exactly one of: a replay entry, an entry that the row was found stored by its writer,
-- an entry that an erased user's row was dropped, a dead letter.
with captured as (
    select entry.event_id
    from public.error_logs as entry
    where entry.error_type in ('INSERT_REPLAYED', 'CONVERSATION_RETRIED')
    union
    select intent.receipt
    from demo.intents as intent
    where intent.receipt is not null
),

settled as (
    select event_id
    from public.error_logs
    where error_type in ('INSERT_REPLAYED', 'INSERT_FOUND_STORED', 'CONVERSATION_RETRIED', 'ERASED_USER_EVENT_DROPPED')
    union all
    select event_id
    from pgmend.dead_letters
    union all
    select event_id
    from pgmend.outbox
),

counted as (
    select captured.event_id, count(settled.event_id) as times
    from captured
    left join settled on captured.event_id = settled.event_id
    group by captured.event_id
)

select
    count(*) filter (where counted.times <> 1) as found,
    count(*) as checked
from counted
