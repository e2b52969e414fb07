-- Customers for whom the inserts known to be captured and the entries FOREIGN_KEY_VIOLATION_CAPTURED differ in number. The caller
-- of the conversation function gets no receipt: there, null is the promise.
with audited as (
    select user_id, count(*) as entries
    from public.error_logs
    where error_type = 'FOREIGN_KEY_VIOLATION_CAPTURED'
    group by user_id
)

select
    count(*) filter (
        where coalesce(promised.captures, 0) <> coalesce(audited.entries, 0)
        or coalesce(promised.receipts, 0) <> coalesce(promised.distinct_receipts, 0)
    ) as found,
    count(*) as checked
from (
    select
        user_id::text as user_id,
        count(*) as captures,
        count(receipt) as receipts,
        count(distinct receipt) as distinct_receipts
    from demo.intents
    where answer = 'parked'
    group by user_id
) as promised
full join audited on promised.user_id = audited.user_id
