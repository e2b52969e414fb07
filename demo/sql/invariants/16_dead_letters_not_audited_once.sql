-- Dead letters without exactly one entry EVENT_DEAD_LETTERED, and such entries without a dead letter.
with audited as (
    select event_id, count(*) as entries
    from public.error_logs
    where error_type = 'EVENT_DEAD_LETTERED'
    group by event_id
)

select
    count(*) filter (where letter.event_id is null or audited.entries is distinct from 1) as found,
    count(*) as checked
from pgmend.dead_letters as letter
full join audited on letter.event_id = audited.event_id
