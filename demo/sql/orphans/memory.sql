-- The demo's own memory, beside the application: what was there before the repair, and what the live application did and was
-- told. Filled by plain SQL, never by pgmend: the invariants compare it with the facts.
create schema demo;

-- The users of the live application. Rows of theirs come and go all the while, and are kept apart from all the others.
create table demo.live_users (
    person uuid not null,
    constraint live_users_pkey primary key (person)
);

-- What the live application has to find again, and the one value of each row that it wrote.
create table demo.live_rows (
    table_name text not null,
    row_id uuid not null,
    written text not null,
    constraint live_rows_pkey primary key (table_name, row_id)
);

-- Statements of the live application by answer: done, an error that it had provoked itself (own), or another's SQLSTATE.
create table demo.live_calls (
    deed text not null,
    answer text not null,
    calls bigint not null,
    constraint live_calls_pkey primary key (deed, answer)
);

-- The commands of pgmend that the story ran, with the exit status that it says they have.
create table demo.commands_run (
    command text not null,
    expected integer not null,
    status integer not null
);

-- Every row that was an orphan before the repair, or the message of a conversation that was one, and how it read.
create table demo.orphans (
    table_name text not null,
    row_id uuid not null,
    reason text not null,
    row_text text not null,
    row_image jsonb not null,
    constraint orphans_pkey primary key (table_name, row_id)
);

-- Users who were entitled to a profile and had none.
create table demo.entitled (
    person uuid not null,
    constraint entitled_pkey primary key (person)
);

-- The checksums of each table before the repair: of all rows, and of those that were no orphans (the others).
create table demo.checksums_before (
    table_name text not null,
    all_rows bigint not null,
    all_checksum text not null,
    other_rows bigint not null,
    other_checksum text not null,
    constraint checksums_before_pkey primary key (table_name)
);

-- Every row of the application, but for those of the live users, and for profiles that only a repair can have made.
create function demo.stored_rows()
returns table (table_name text, row_id uuid, row_text text)
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
select
    'users' as table_name,
    person.id as row_id,
    person::text as row_text
from public.users as person
where person.id not in (select live.person from demo.live_users as live)
union all
select
    'profiles' as table_name,
    profile.id as row_id,
    profile::text as row_text
from public.profiles as profile
where
    profile.id not in (select live.person from demo.live_users as live)
    and profile.id not in (select entitled.person from demo.entitled as entitled)
union all
select
    'conversations' as table_name,
    conversation.id as row_id,
    conversation::text as row_text
from public.conversations as conversation
where conversation.customer_id not in (select live.person from demo.live_users as live)
union all
select
    'chat_messages' as table_name,
    message.id as row_id,
    message::text as row_text
from public.chat_messages as message
where message.sender_id not in (select live.person from demo.live_users as live)
union all
select
    'orders' as table_name,
    placed.id as row_id,
    placed::text as row_text
from public.orders as placed
where placed.user_id not in (select live.person from demo.live_users as live)
union all
select
    'leads' as table_name,
    lead.id as row_id,
    lead::text as row_text
from public.leads as lead
where lead.user_id is null or lead.user_id::text not in (select live.person::text from demo.live_users as live)
$function$;

-- The same checksums now: two sums over the rows, each of another hash of all that a row holds, so it does not matter in which
-- order they stand.
create function demo.checksums_now()
returns table (table_name text, all_rows bigint, all_checksum text, other_rows bigint, other_checksum text)
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
select
    summed.table_name, summed.all_rows, md5(format('%s %s', summed.all_sum, summed.all_other_sum)),
    summed.whole_rows, md5(format('%s %s', summed.whole_sum, summed.whole_other_sum))
from (
    select
        stored.table_name,
        count(*) as all_rows,
        sum(hashtextextended(stored.row_text, 1)) as all_sum,
        sum(hashtextextended(stored.row_text, 2)) as all_other_sum,
        count(*) filter (where orphan.row_id is null) as whole_rows,
        sum(hashtextextended(stored.row_text, 1)) filter (where orphan.row_id is null) as whole_sum,
        sum(hashtextextended(stored.row_text, 2)) filter (where orphan.row_id is null) as whole_other_sum
    from demo.stored_rows() as stored
    left join demo.orphans as orphan on stored.table_name = orphan.table_name and stored.row_id = orphan.row_id
    group by stored.table_name
) as summed
$function$;

-- What lies in the quarantine: rows that were taken away, and rows that stand and were given another key.
create function demo.taken()
returns table (table_name text, row_id uuid, is_gone boolean, row_image jsonb)
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
select
    split_part(quarantined.table_name, '.', 2) as table_name,
    (quarantined.row_image ->> 'id')::uuid as row_id,
    quarantined.action in ('quarantine', 'delete') as is_gone,
    quarantined.row_image
from pgmend.quarantine as quarantined
where quarantined.restored_at is null
$function$;

-- What the live application finds of its own.
create function demo.live_rows_now()
returns table (table_name text, row_id uuid, written text)
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
select
    'orders' as table_name,
    placed.id as row_id,
    placed.amount::text as written
from public.orders as placed
where placed.user_id in (select live.person from demo.live_users as live)
union all
select
    'leads' as table_name,
    lead.id as row_id,
    lead.source as written
from public.leads as lead
where lead.user_id::text in (select live.person::text from demo.live_users as live)
union all
select
    'conversations' as table_name,
    conversation.id as row_id,
    coalesce(conversation.last_message, '') as written
from public.conversations as conversation
where conversation.customer_id in (select live.person from demo.live_users as live)
union all
select
    'chat_messages' as table_name,
    message.id as row_id,
    message.content as written
from public.chat_messages as message
where message.sender_id in (select live.person from demo.live_users as live)
$function$;
