-- Rows in a referencing table whose referenced row is absent.
select
    count(*) filter (where reference.is_orphan) as found,
    count(*) as checked
from (
    select
        not exists (
            select from public.users as users
            where users.id = profile.id
        ) as is_orphan
    from public.profiles as profile
    union all
    select
        not exists (
            select from public.profiles as customer
            where customer.id = conversation.customer_id
        )
        or not exists (
            select from public.profiles as admin
            where admin.id = conversation.admin_id
        )
    from public.conversations as conversation
    union all
    select
        not exists (
            select from public.profiles as sender
            where sender.id = message.sender_id
        )
        or (
            message.conversation_id is not null
            and not exists (
                select from public.conversations as conversation
                where conversation.id = message.conversation_id
            )
        )
    from public.chat_messages as message
    union all
    select
        not exists (
            select from public.profiles as buyer
            where buyer.id = placed.user_id
        )
    from public.orders as placed
    union all
    select
        not exists (
            select from public.profiles as prospect
            where prospect.id = lead.user_id
        )
    from public.leads as lead
) as reference
