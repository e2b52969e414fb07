-- Customers whose callers were given different conversations.
select
    count(*) filter (where answers.conversations > 1) as found,
    count(*) as checked
from (
    select count(distinct row_id) as conversations
    from demo.intents
    where act = 'conversation' and row_id is not null
    group by user_id
) as answers
