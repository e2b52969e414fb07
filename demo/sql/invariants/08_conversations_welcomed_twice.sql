-- Conversations with more than one welcome message.
select
    count(*) filter (where welcome.messages > 1) as found,
    count(*) as checked
from (
    select count(*) as messages
    from public.chat_messages
    where kind = 'welcome'
    group by conversation_id
) as welcome
