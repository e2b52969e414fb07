-- The sample application: a shop whose customers talk to an admin. Nothing in this file knows of pgmend.
create table if not exists public.users (
    id uuid not null default gen_random_uuid(),
    email text,
    full_name text,
    profile_picture_url text,
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint users_pkey primary key (id)
);

create table if not exists public.profiles (
    id uuid not null,
    name text not null,
    avatar_url text not null default '',
    is_admin boolean not null default false,
    is_online boolean not null default false,
    created_at timestamptz not null default now(),
    constraint profiles_pkey primary key (id),
    constraint profiles_id_fkey foreign key (id) references public.users (id) on delete cascade,
    constraint profiles_name_is_short check (char_length(name) <= 120)
);

create table if not exists public.conversations (
    id uuid not null default gen_random_uuid(),
    customer_id uuid not null,
    admin_id uuid not null,
    last_message text,
    last_message_at timestamptz,
    created_at timestamptz not null default now(),
    constraint conversations_pkey primary key (id),
    constraint conversations_pair_is_unique unique (customer_id, admin_id),
    constraint conversations_customer_id_fkey foreign key (customer_id) references public.profiles (id) on delete cascade,
    constraint conversations_admin_id_fkey foreign key (admin_id) references public.profiles (id) on delete cascade
);

create table if not exists public.chat_messages (
    id uuid not null default gen_random_uuid(),
    conversation_id uuid,
    sender_id uuid not null,
    kind text not null default 'message',
    content text not null,
    created_at timestamptz not null default now(),
    constraint chat_messages_pkey primary key (id),
    constraint chat_messages_kind_is_known check (kind in ('message', 'welcome')),
    constraint chat_messages_conversation_id_fkey
    foreign key (conversation_id) references public.conversations (id) on delete cascade,
    constraint chat_messages_sender_id_fkey foreign key (sender_id) references public.profiles (id) on delete cascade
);

create index if not exists chat_messages_by_conversation on public.chat_messages (conversation_id);

create index if not exists chat_messages_by_sender on public.chat_messages (sender_id);

create table if not exists public.orders (
    id uuid not null default gen_random_uuid(),
    user_id uuid not null,
    amount numeric(12, 2) not null,
    created_at timestamptz not null default now(),
    constraint orders_pkey primary key (id),
    constraint fk_orders_user_id foreign key (user_id) references public.profiles (id) on delete cascade
);

create index if not exists orders_by_user on public.orders (user_id);

create table if not exists public.leads (
    id uuid not null default gen_random_uuid(),
    user_id uuid not null,
    source text not null,
    created_at timestamptz not null default now(),
    constraint leads_pkey primary key (id),
    constraint leads_user_id_fkey foreign key (user_id) references public.profiles (id) on delete cascade
);

create index if not exists leads_by_user on public.leads (user_id);

-- What a person is called: the full name, else the part of the e-mail before the @, else User.
create or replace function public.display_name(full_name text, email text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
select coalesce(nullif(btrim(full_name), ''), nullif(split_part(email, '@', 1), ''), 'User')
$function$;
