-- Conversations without a welcome message.
with welcomed as (
    select distinct conversation_id
    from public.chat_messages
    where kind = 'welcome'
)

select
    count(*) filter (where welcomed.conversation_id is null) as found,
    count(*) as checked
from public.conversations as conversation
left join welcomed on conversation.id = welcomed.conversation_id
