-- What lies in the outbox and among the dead letters, by source: captured rows, and sign-ups.
select
    events.source_id,
    count(*) filter (where events.kind = 'insert_failed') as captured_rows,
    count(*) filter (where events.kind = 'user_created') as sign_ups
from (
    select source_id, kind from pgmend.outbox
    union all
    select source_id, kind from pgmend.dead_letters
) as events
group by events.source_id
