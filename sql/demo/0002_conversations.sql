-- A customer's conversation with the admin: the strict function, which raises what is wrong, the one that the application
-- calls over RPC, which never does, and the one that the worker calls to finish what the second could not.

-- Opens the conversation of a customer whose profile exists, or returns the one there is. Whoever inserts the conversation
-- also inserts its one welcome message, in the same transaction.
create or replace function public.open_admin_conversation(customer_id uuid)
returns public.conversations
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    welcome constant text := 'Welcome! How can we help you?';
    admin uuid;
    conversation public.conversations;
begin
    select profile.id into admin
    from public.profiles as profile
    where profile.is_admin
    order by profile.created_at, profile.id
    limit 1;
    if admin is null then
        raise exception 'no admin to talk to yet' using errcode = 'PM001', detail = 'admin';
    end if;

    insert into public.conversations (customer_id, admin_id, last_message, last_message_at)
    values (open_admin_conversation.customer_id, admin, welcome, now())
    on conflict (customer_id, admin_id) do nothing
    returning * into conversation;
    if found then
        insert into public.chat_messages (conversation_id, sender_id, kind, content)
        values (conversation.id, admin, 'welcome', welcome);
        return conversation;
    end if;

    select existing.* into strict conversation
    from public.conversations as existing
    where existing.customer_id = open_admin_conversation.customer_id and existing.admin_id = admin;
    return conversation;
end
$function$;

-- Makes sure that the customer's profile exists, then returns the conversation together with the admin's profile.
-- Null when that is not possible now: an insert_failed event is left, and the worker finishes the whole thing later.
create or replace function public.get_or_create_admin_conversation(customer_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    conversation public.conversations;
    customer constant uuid := customer_id;
    missing text;
begin
    if customer is null then
        return null;
    end if;

    begin
        insert into public.profiles (id, name, avatar_url, is_admin, is_online)
        select
            users.id, public.display_name(users.full_name, users.email), coalesce(users.profile_picture_url, ''), false, false
        from public.users as users
        where users.id = customer and users.deleted_at is null
            and not exists (select from public.profiles as profile where profile.id = users.id)
        for share of users;
    exception
        when unique_violation then
            null; -- the profile appeared meanwhile: that is what was wanted
        when others then
            missing := 'profile';
    end;

    if missing is null and exists (select from public.profiles as profile where profile.id = customer) then
        begin
            conversation := public.open_admin_conversation(customer);
            return to_jsonb(conversation) || jsonb_build_object(
                'admin', (select to_jsonb(profile) from public.profiles as profile where profile.id = conversation.admin_id)
            );
        exception
            when foreign_key_violation then
                missing := 'profile'; -- the customer was erased in between
            when sqlstate 'PM001' then
                missing := 'admin';
        end;
    end if;

    perform pgmend.report_failed_insert(
        'public.conversations', jsonb_build_object('customer_id', customer), 'conversations_customer_id_fkey', nullif(missing, 'profile')
    );
    return null;
end
$function$;

create or replace function public.replay_admin_conversation(row_image jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform public.open_admin_conversation((row_image ->> 'customer_id')::uuid);
end
$function$;

-- An admin has appeared: the conversations that waited for one are due.
create or replace function public.resume_conversations()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform pgmend.resume_waiting('admin');
    return null;
end
$function$;

create or replace trigger profiles_resume_conversations
after insert or update of is_admin on public.profiles
for each row when (new.is_admin) execute function public.resume_conversations();
