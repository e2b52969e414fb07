-- Rows in a referencing table whose referenced row is absent.
select
    count(*) filter (where reference.is_orphan) as found,
    count(*) as checked
from (
    select profile.id is null as is_orphan
    from public.orders as placed
    left join public.profiles as profile on placed.user_id = profile.id
    union all
    select lead.user_id is not null and profile.id is null
    from public.leads as lead
    left join public.profiles as profile on lead.user_id::text = profile.id::text
    union all
    select customer.id is null or admin.id is null
    from public.conversations as opened
    left join public.profiles as customer on opened.customer_id = customer.id
    left join public.profiles as admin on opened.admin_id = admin.id
    union all
    select sender.id is null or (message.conversation_id is not null and conversation.id is null)
    from public.chat_messages as message
    left join public.profiles as sender on message.sender_id = sender.id
    left join public.conversations as conversation on message.conversation_id = conversation.id
) as reference
