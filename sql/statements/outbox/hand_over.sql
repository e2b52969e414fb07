-- Hands the first express event above $1 over to the careful lane, which has a savepoint of its own for it: alone it made the
-- express statement fail. Returns its id, or nothing where another worker was quicker.
with stuck as materialized (
    select event_id
    from pgmend.express_events
    where event_id > $1
    order by event_id
    limit 1
    for update skip locked
),

removed as (
    delete from pgmend.express_events as event
    where event.event_id = any(array(select stuck.event_id from stuck))
    returning event.event_id, event.source_id, event.user_key, event.created_at, event.correlation_id
)

insert into pgmend.careful_events (event_id, source_id, kind, user_key, created_at, correlation_id)
select event_id, source_id, 'user_created', user_key, created_at, correlation_id
from removed
returning event_id
