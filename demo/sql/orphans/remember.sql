-- Writes down what is there before anything is repaired: who is entitled to a profile, every orphan as it reads, the checksums.
create function demo.remember()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
as $function$
begin
    insert into demo.entitled (person)
    select users.id from public.users as users
    where users.email is not null and users.deleted_at is null
        and not exists (select from public.profiles as profile where profile.id = users.id);

    insert into demo.orphans (table_name, row_id, reason, row_text, row_image)
    select
        'orders', placed.id, demo.reason_of(placed.user_id::text), placed::text, jsonb_object(
            array['id', 'user_id', 'amount', 'created_at'],
            array[placed.id::text, placed.user_id::text, placed.amount::text, placed.created_at::text]
        )
    from public.orders as placed
    where not exists (select from public.profiles as profile where profile.id = placed.user_id);

    insert into demo.orphans (table_name, row_id, reason, row_text, row_image)
    select
        'leads', lead.id, demo.reason_of(lead.user_id), lead::text, jsonb_object(
            array['id', 'user_id', 'source', 'created_at'],
            array[lead.id::text, lead.user_id, lead.source, lead.created_at::text]
        )
    from public.leads as lead
    where lead.user_id is not null and not exists (select from public.profiles as profile where profile.id::text = lead.user_id);

    insert into demo.orphans (table_name, row_id, reason, row_text, row_image)
    select
        'conversations', conversation.id, demo.reason_of(conversation.customer_id::text), conversation::text, jsonb_object(
            array['id', 'customer_id', 'admin_id', 'last_message', 'last_message_at', 'created_at'],
            array[
                conversation.id::text, conversation.customer_id::text, conversation.admin_id::text, conversation.last_message,
                conversation.last_message_at::text, conversation.created_at::text
            ]
        )
    from public.conversations as conversation
    where not exists (select from public.profiles as profile where profile.id = conversation.customer_id);

    -- A message is an orphan by itself, or follows a conversation that is one and cannot be healed.
    insert into demo.orphans (table_name, row_id, reason, row_text, row_image)
    select
        'chat_messages', message.id, coalesce(demo.reason_of(message.sender_id::text), 'along'), message::text, jsonb_object(
            array['id', 'conversation_id', 'sender_id', 'kind', 'content', 'created_at'],
            array[
                message.id::text, message.conversation_id::text, message.sender_id::text, message.kind, message.content,
                message.created_at::text
            ]
        )
    from public.chat_messages as message
    where not exists (select from public.profiles as profile where profile.id = message.sender_id)
        or message.conversation_id in (
            select orphan.row_id from demo.orphans as orphan
            where orphan.table_name = 'conversations' and orphan.reason <> 'healable'
        );

    analyze demo.orphans;
    insert into demo.checksums_before (table_name, all_rows, all_checksum, other_rows, other_checksum)
    select now.table_name, now.all_rows, now.all_checksum, now.other_rows, now.other_checksum from demo.checksums_now() as now;
end
$function$;

-- Why a key leads nowhere, told by what the fill has made of its users; null where it leads to a profile.
create function demo.reason_of(user_key text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    case
        when exists (select from public.profiles as profile where profile.id = uuid_key.key) then null
        when reason_of.user_key like 'legacy-%' then 'malformed'
        when users.deleted_at is not null then 'erased'
        when users.id is not null and users.email is null then 'not_eligible'
        when users.id is not null then 'healable'
        when exists (select from public.error_logs as entry where entry.user_id = reason_of.user_key) then 'gone'
        else 'unknown'
    end
from (select case when reason_of.user_key not like 'legacy-%' then reason_of.user_key::uuid end as key) as uuid_key
left join public.users as users on users.id = uuid_key.key
$function$;
