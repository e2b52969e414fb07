-- Pairs of a customer and an admin with more than one conversation.
select
    count(*) filter (where pair.conversations > 1) as found,
    count(*) as checked
from (
    select count(*) as conversations
    from public.conversations
    group by customer_id, admin_id
) as pair
