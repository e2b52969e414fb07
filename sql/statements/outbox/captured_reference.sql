-- The captured row that a captured row ($4: its event) refers to through a foreign key ($3), where there is one: its event's id.
-- One that itself waits for the row, directly or through others, is none: neither could ever stand first.
with recursive waiting as (
    select event_id, waits_for_event
    from pgmend.careful_events
    where waits_for_event is not null
    union all
    select event_id, waits_for_event
    from pgmend.dead_letters
    where waits_for_event is not null
),

referred_to as (
    select violation.waits_for_event as event_id
    from pgmend.violation($1::oid::regclass, $2::jsonb, $3) as violation
    where violation.waits_for_event is not null
    union
    select waiting.waits_for_event
    from waiting
    inner join referred_to on waiting.event_id = referred_to.event_id
)

select violation.waits_for_event
from pgmend.violation($1::oid::regclass, $2::jsonb, $3) as violation
where $4::bigint not in (select referred_to.event_id from referred_to)
