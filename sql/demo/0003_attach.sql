-- Attaches pgmend to the sample application: where users and profiles live, how one is made from the other, which foreign keys
-- are guarded. This is all that an application writes.
select pgmend.attach_source(
    users_table => 'public.users',
    profiles_table => 'public.profiles',
    recipe => '{
        "name": "public.display_name(users.full_name, users.email)",
        "avatar_url": "coalesce(users.profile_picture_url, '''')",
        "is_admin": "false",
        "is_online": "false"
    }',
    erased_when => 'users.deleted_at is not null'
);

select pgmend.guard(
    'public.conversations', 'conversations_customer_id_fkey',
    replay_function => 'public.replay_admin_conversation(jsonb)',
    replayed_error_type => 'CONVERSATION_RETRIED',
    unknown_user_grace => '5 seconds'
);

select pgmend.guard('public.orders', 'fk_orders_user_id', unknown_user_grace => '5 seconds');

select pgmend.guard('public.chat_messages', 'chat_messages_sender_id_fkey', unknown_user_grace => '5 seconds');

select pgmend.guard('public.leads', 'leads_user_id_fkey', unknown_user_grace => '5 seconds');
