-- Customers who asked for a conversation and have none, neither erased nor put in front of a person.
with conversation as (
    select distinct customer_id
    from public.conversations
)

select
    count(*) filter (where conversation.customer_id is null) as found,
    count(*) as checked
from (
    select distinct intent.user_id
    from demo.intents as intent
    inner join demo.people as person on intent.user_id = person.user_id
    where intent.act = 'conversation' and person.fate = 'whole'
) as customer
left join conversation on customer.user_id = conversation.customer_id
