-- Receipts that lead nowhere: no row, no dead letter, nor an audit entry that says what was done for a user who is erased.
with outcomes as (
    select distinct event_id
    from public.error_logs
    where error_type in ('INSERT_REPLAYED', 'ERASED_USER_EVENT_DROPPED')
),

stored as (
    select distinct intent_id
    from demo.stored_inserts
)

select
    count(*) filter (
        where stored.intent_id is null
        and letter.event_id is null
        and pending.event_id is null
        and (outcomes.event_id is null or person.fate not in ('erased_hard', 'erased_soft'))
    ) as found,
    count(*) as checked
from demo.intents as intent
inner join demo.people as person on intent.user_id = person.user_id
left join stored on intent.intent_id = stored.intent_id
left join pgmend.dead_letters as letter on intent.receipt = letter.event_id
left join pgmend.outbox as pending on intent.receipt = pending.event_id
left join outcomes on intent.receipt = outcomes.event_id
where intent.receipt is not null
