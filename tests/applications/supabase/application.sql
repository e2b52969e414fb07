-- A chat that somebody has built on a Supabase project, run as project_postgres. Nothing in this file knows of pgmend.
create table public.profiles (
    id uuid not null,
    username text not null,
    full_name text,
    created_at timestamptz not null default now(),
    constraint profiles_pkey primary key (id),
    constraint profiles_username_key unique (username),
    constraint profiles_username_is_long_enough check (char_length(username) >= 3),
    constraint profiles_id_fkey foreign key (id) references auth.users (id) on delete cascade
);

create table public.conversations (
    id uuid not null default gen_random_uuid(),
    owner_id uuid not null default auth.uid(),
    title text not null,
    created_at timestamptz not null default now(),
    constraint conversations_pkey primary key (id),
    constraint conversations_owner_id_fkey foreign key (owner_id) references public.profiles (id) on delete cascade
);

create table public.chat_messages (
    id bigint generated always as identity,
    sender_id uuid not null default auth.uid(),
    content text not null,
    created_at timestamptz not null default now(),
    constraint chat_messages_pkey primary key (id),
    constraint chat_messages_sender_id_fkey foreign key (sender_id) references public.profiles (id) on delete cascade
);

alter table public.profiles enable row level security;

alter table public.conversations enable row level security;

alter table public.chat_messages enable row level security;

create policy "profiles are public" on public.profiles for select using (true);

create policy "people change themselves" on public.profiles for update to authenticated
using (auth.uid() = id) with check (auth.uid() = id);

create policy "people open their own conversations" on public.conversations for all to authenticated
using (auth.uid() = owner_id) with check (auth.uid() = owner_id);

create policy "people write as themselves" on public.chat_messages for insert to authenticated
with check (auth.uid() = sender_id);

create policy "people read what is theirs" on public.chat_messages for select to authenticated
using (auth.uid() = sender_id);
