-- How pgmend is attached to it, run as project_postgres, who owns neither auth.users nor any right of a superuser.
select pgmend.attach_source(
    users_table => 'auth.users',
    profiles_table => 'public.profiles',
    recipe => '{
        "username": "''user_'' || left(users.id::text, 8)",
        "full_name": "users.raw_user_meta_data ->> ''full_name''"
    }',
    eligible_when => 'not users.is_anonymous',
    erased_when => 'users.deleted_at is not null'
);

select pgmend.guard('public.conversations', 'conversations_owner_id_fkey');

select pgmend.guard('public.chat_messages', 'chat_messages_sender_id_fkey', mode => 'ensure');

select pgmend.grant_captures('authenticated');

grant pgmend_worker to project_worker;
