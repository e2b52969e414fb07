-- Where the healing stands at this moment.
select
    count(*) filter (where error_type = 'MISSING_PROFILE_CREATED') as healed,
    count(*) filter (where error_type in ('INSERT_REPLAYED', 'CONVERSATION_RETRIED')) as replayed,
    (select count(*) from pgmend.outbox) as outbox,
    (select count(*) from pgmend.dead_letters) as dead_letters
from public.error_logs
