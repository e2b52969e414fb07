-- What events have come back with again and again ($1 attempts or more), by source and SQLSTATE, of the first $2 events.
select
    met.source_id,
    met.sqlstate,
    min(met.message) as message,
    count(*) as events
from (
    select
        event.source_id,
        event.last_failure ->> 'sqlstate' as sqlstate,
        event.last_failure ->> 'message' as message,
        event.attempts
    from pgmend.careful_events as event
    order by event.event_id
    limit $2
) as met
where met.attempts >= $1 and met.sqlstate is not null
group by met.source_id, met.sqlstate
order by met.source_id asc, events desc, met.sqlstate asc
