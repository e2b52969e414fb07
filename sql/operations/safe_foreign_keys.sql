-- Safe foreign keys, in one file for an SQL editor. For whoever has seen this:
--     ALTER TABLE orders ADD CONSTRAINT fk_orders_user_id FOREIGN KEY (user_id) REFERENCES profiles (id) …
--     ERROR: insert or update on table "orders" violates foreign key constraint "fk_orders_user_id" (SQLSTATE 23503)
-- It looks at what is wrong, makes the profiles that are only missing, moves every other orphan into a quarantine with an
-- audit entry, adds the keys, validates them, and makes their indexes. Nothing is deleted that the quarantine does not hold, and
-- the end of the file brings it back. It needs nothing of pgmend.
--
-- It fits the sample tables and no others: users, profiles, orders, leads, conversations, chat_messages, all in public. The first
-- statement says what does not fit, before anything is made. In psql run it with -v ON_ERROR_STOP=1. Names to change:
--   users, profiles   in 1 (needed, with the columns), 2, 3 and the function taking, with what a profile is made from in 3; the
--                     key of each is called id, which take_orphans and add_key rely on
--   references        one line each in 1 (needed), 2, take_all, 6, 8 (a line for each table), 9 and the end of the file
--   chat_messages     what goes along with an orphan conversation: in taking and take_orphans; leave it out where nothing does
--   error_logs        the audit table: in 1, 3 and taking
--
-- Run it as often as you like: what is done is found done. Where it stops (a lock that was not granted within two seconds, say),
-- what was committed stands, and the next run goes on. Each statement may be a transaction of its own, which is best while the
-- application runs; as one transaction it is right as well, but writers wait from the first key to the end.
-- For large tables: pgmend repair works in batches that can be interrupted, and pgmend constrain makes the keys without keeping
-- anybody waiting.

-- 1. Whether it fits: else an error names what is missing, or is of another type than what it refers to, and nothing is made.
-- Then the audit table, unless there is one, and the quarantine: in a schema of its own, which no HTTP API shows. row_text is the
-- row as the database spells it, lossless; row_image is the same for people.
do $function$
declare
    unfit text;
begin
    with needed (table_name, column_name, refers_to) as (
        values
        ('users', 'id', null), ('users', 'email', null), ('users', 'full_name', null), ('users', 'profile_picture_url', null),
        ('users', 'deleted_at', null), ('profiles', 'id', 'users'), ('profiles', 'name', null), ('profiles', 'avatar_url', null),
        ('orders', 'user_id', 'profiles'), ('leads', 'user_id', 'profiles'), ('conversations', 'id', null),
        ('conversations', 'customer_id', 'profiles'), ('conversations', 'admin_id', 'profiles'),
        ('chat_messages', 'conversation_id', 'conversations'), ('chat_messages', 'sender_id', 'profiles'),
        ('error_logs', 'error_type', null), ('error_logs', 'severity', null), ('error_logs', 'user_id', null),
        ('error_logs', 'table_name', null), ('error_logs', 'constraint_name', null), ('error_logs', 'sqlstate', null),
        ('error_logs', 'message', null), ('error_logs', 'details', null)
    ),

    found as (
        select class.relname::text as table_name, attribute.attname::text as column_name,
            format_type(attribute.atttypid, null) as type_name
        from pg_catalog.pg_class as class
        inner join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid and not attribute.attisdropped
        where class.relnamespace = to_regnamespace('public')
    )

    select string_agg(
        case
            when found.column_name is null then format('there is no public.%s.%s', needed.table_name, needed.column_name)
            else format(
                'public.%s.%s is %s, public.%s.id is %s', needed.table_name, needed.column_name, found.type_name,
                needed.refers_to, referenced.type_name
            )
        end,
        '; '
    ) into unfit
    from needed
    left join found on found.table_name = needed.table_name and found.column_name = needed.column_name
    left join found as referenced on referenced.table_name = needed.refers_to and referenced.column_name = 'id'
    where (needed.table_name <> 'error_logs' or to_regclass('public.error_logs') is not null)
        and (found.column_name is null or found.type_name <> referenced.type_name);
    if unfit is not null then
        raise exception 'this file does not fit here: %', unfit
            using hint = 'It is written for the sample tables. The head of the file lists the names to change.';
    end if;

    create table if not exists public.error_logs (
        id bigint generated always as identity primary key,
        error_type text not null,
        severity text not null,
        user_id text,
        table_name text,
        constraint_name text,
        sqlstate text,
        message text not null,
        details jsonb not null default '{}',
        attempt integer,
        event_id bigint,
        correlation_id text,
        created_at timestamptz not null default clock_timestamp()
    );

    create schema if not exists quarantine;

    create table if not exists quarantine.orphans (
        id bigint generated always as identity,
        table_name text not null,
        key_name text not null,
        user_key text,
        reason text not null,
        row_text text not null,
        row_image jsonb not null,
        taken_at timestamptz not null default clock_timestamp(),
        constraint orphans_pkey primary key (id)
    );
end
$function$;

-- 2. Diagnose: which rows refer to nobody, and why. healable: the user is there, only the profile is missing. erased: the user is
-- marked as deleted. unknown: nobody has that key.
with reference as (
    select 'orders.user_id' as name, orders.user_id as key from public.orders
    union all
    select 'leads.user_id' as name, leads.user_id as key from public.leads
    union all
    select 'chat_messages.sender_id' as name, chat_messages.sender_id as key from public.chat_messages
    union all
    select 'conversations.customer_id' as name, conversations.customer_id as key from public.conversations
    union all
    select 'conversations.admin_id' as name, conversations.admin_id as key from public.conversations
)

select
    reference.name,
    count(*) as orphans,
    count(distinct reference.key) as keys,
    count(*) filter (where users.id is not null and users.deleted_at is null) as healable,
    count(*) filter (where users.deleted_at is not null) as erased,
    count(*) filter (where users.id is null) as unknown
from reference
left join public.profiles as profile on reference.key = profile.id
left join public.users as users on reference.key = users.id
where reference.key is not null and profile.id is null
group by reference.name
order by reference.name;

-- 3. Heal: a user who is there gets the missing profile, with an audit entry. An order of a living customer is no orphan.
create or replace function quarantine.heal_all()
returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $function$
    with healed as (
        insert into public.profiles (id, name, avatar_url)
        select
            users.id,
            left(coalesce(nullif(btrim(users.full_name), ''), nullif(split_part(users.email, '@', 1), ''), 'User'), 120),
            coalesce(users.profile_picture_url, '')
        from public.users as users
        left join public.profiles as profile on users.id = profile.id
        where users.deleted_at is null and profile.id is null
        for share of users
        on conflict do nothing
        returning profiles.id
    ),

    audited as (
        insert into public.error_logs (error_type, severity, user_id, table_name, message)
        select 'MISSING_PROFILE_CREATED', 'info', healed.id::text, 'profiles', 'the missing profile was created'
        from healed
        returning user_id
    )

    select count(*) from audited
$function$;

select quarantine.heal_all() as healed;

-- 4. What moves the orphans of one key into the quarantine, each with one audit entry: deleted, kept and audited together.
create or replace function quarantine.taking(
    referencing regclass, referencing_column name, key_name text, error_type text, condition text
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select format(
        $statement$
        with moved as (
            delete from %1$s as taken where %5$s
            returning taken.%2$I as key, taken::text as row_text, to_jsonb(taken) as row_image
        ),
        kept as (
            insert into quarantine.orphans (table_name, key_name, user_key, reason, row_text, row_image)
            select
                %6$L, %3$L, moved.key::text,
                case
                    when %3$L = 'chat_messages_conversation_id_fkey' then 'conversation gone'
                    when exists (select from public.users as users where users.id = moved.key) then 'erased'
                    else 'unknown'
                end,
                moved.row_text, moved.row_image
            from moved
            returning id, user_key, reason
        )
        insert into public.error_logs (error_type, severity, user_id, table_name, constraint_name, sqlstate, message, details)
        select
            %4$L, 'warning', case when kept.reason <> 'conversation gone' then kept.user_key end, %6$L, %3$L, '23503',
            'an orphan was moved into the quarantine', jsonb_build_object('reason', kept.reason, 'quarantine_id', kept.id)
        from kept
        $statement$,
        taking.referencing, taking.referencing_column, taking.key_name, taking.error_type, taking.condition,
        (select class.relname from pg_class as class where class.oid = taking.referencing)
    )
$function$;

-- Rows that refer to an orphan go with it: a key would delete them, or keep the orphan where it is. The messages of a
-- conversation are known here; where other tables refer to what is to be moved it refuses.
create or replace function quarantine.take_orphans(
    referencing regclass, referencing_column name, referenced regclass, key_name text, error_type text
)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    is_orphan constant text := '%3$s.%1$I is not null and not exists (select from %2$s as present where present.id = %3$s.%1$I)';
    is_orphan_conversation constant text := format(
        is_orphan, take_orphans.referencing_column, take_orphans.referenced, 'conversation'
    );
    unforeseen text;
    taken bigint;
begin
    execute format(
        'select count(*) from %s as taken where %s', take_orphans.referencing,
        format(is_orphan, take_orphans.referencing_column, take_orphans.referenced, 'taken')
    ) into taken;
    if taken = 0 then
        return taken;
    end if;

    select string_agg(format('%s (%s)', key.conrelid::regclass, key.conname), ', ') into unforeseen
    from pg_constraint as key
    where key.contype = 'f' and key.confrelid = take_orphans.referencing
        and (key.confrelid, key.conrelid) <> ('public.conversations'::regclass, 'public.chat_messages'::regclass);
    if unforeseen is not null then
        raise exception 'other rows refer to %: %', take_orphans.referencing, unforeseen
            using hint = 'Let them go along first, as the messages of a conversation do, or use pgmend repair.';
    end if;

    -- Held, an orphan conversation gets no new message; those that it has go first.
    if take_orphans.referencing = 'public.conversations'::regclass then
        execute format('select from public.conversations as conversation where %s for update', is_orphan_conversation);
        execute quarantine.taking(
            'public.chat_messages', 'conversation_id', 'chat_messages_conversation_id_fkey', 'ORPHANED_CHAT_MESSAGE_DETECTED',
            format(
                'exists (select from public.conversations as conversation where conversation.id = taken.conversation_id and %s)',
                is_orphan_conversation
            )
        );
    end if;

    execute quarantine.taking(
        take_orphans.referencing, take_orphans.referencing_column, take_orphans.key_name, take_orphans.error_type,
        format(is_orphan, take_orphans.referencing_column, take_orphans.referenced, 'taken')
    );
    get diagnostics taken = row_count;
    return taken;
end
$function$;

create or replace function quarantine.take_all()
returns table (key_name text, orphans bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    return query select 'fk_orders_user_id', quarantine.take_orphans(
        'public.orders', 'user_id', 'public.profiles', 'fk_orders_user_id', 'ORPHANED_ORDER_DETECTED'
    );
    return query select 'leads_user_id_fkey', quarantine.take_orphans(
        'public.leads', 'user_id', 'public.profiles', 'leads_user_id_fkey', 'ORPHANED_LEAD_DETECTED'
    );
    return query select 'conversations_customer_id_fkey', quarantine.take_orphans(
        'public.conversations', 'customer_id', 'public.profiles', 'conversations_customer_id_fkey',
        'ORPHANED_CONVERSATION_DETECTED'
    );
    return query select 'conversations_admin_id_fkey', quarantine.take_orphans(
        'public.conversations', 'admin_id', 'public.profiles', 'conversations_admin_id_fkey', 'ORPHANED_CONVERSATION_DETECTED'
    );
    return query select 'chat_messages_sender_id_fkey', quarantine.take_orphans(
        'public.chat_messages', 'sender_id', 'public.profiles', 'chat_messages_sender_id_fkey', 'ORPHANED_CHAT_MESSAGE_DETECTED'
    );
    return query select 'chat_messages_conversation_id_fkey', quarantine.take_orphans(
        'public.chat_messages', 'conversation_id', 'public.conversations', 'chat_messages_conversation_id_fkey',
        'ORPHANED_CHAT_MESSAGE_DETECTED'
    );
end
$function$;

-- 5. Quarantine.
select taken.key_name, taken.orphans
from quarantine.take_all() as taken;

-- 6. The keys, NOT VALID: an instant under a lock that keeps writers waiting, and from now on no new orphan comes in. A key that
-- stands under another name is used: two that say the same would make the relation ambiguous to HTTP APIs.
create or replace function quarantine.add_key(
    referencing regclass, referencing_column name, referenced regclass, key_name name
)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $function$
declare
    standing name;
begin
    select min(key.conname) into standing
    from pg_constraint as key
    inner join pg_attribute as attribute on attribute.attrelid = key.conrelid and key.conkey = array[attribute.attnum]
    where key.contype = 'f' and key.conrelid = add_key.referencing and key.confrelid = add_key.referenced
        and attribute.attname = add_key.referencing_column;
    if standing is not null then
        return format('%s stands', standing);
    end if;
    execute format(
        'alter table %s add constraint %I foreign key (%I) references %s (id) on delete cascade not valid',
        add_key.referencing, add_key.key_name, add_key.referencing_column, add_key.referenced
    );
    return format('%s is added', add_key.key_name);
end
$function$;

select quarantine.add_key('public.orders', 'user_id', 'public.profiles', 'fk_orders_user_id') as key;

select quarantine.add_key('public.leads', 'user_id', 'public.profiles', 'leads_user_id_fkey') as key;

select quarantine.add_key('public.conversations', 'customer_id', 'public.profiles', 'conversations_customer_id_fkey') as key;

select quarantine.add_key('public.conversations', 'admin_id', 'public.profiles', 'conversations_admin_id_fkey') as key;

select quarantine.add_key('public.chat_messages', 'sender_id', 'public.profiles', 'chat_messages_sender_id_fkey') as key;

select
    quarantine.add_key(
        'public.chat_messages', 'conversation_id', 'public.conversations', 'chat_messages_conversation_id_fkey'
    ) as key;

-- 7. Whoever came in between the quarantine and the keys. Usually nobody.
select taken.key_name, taken.orphans
from quarantine.take_all() as taken;

-- 8. Validate: reads each table once, and keeps neither readers nor writers waiting.
create or replace function quarantine.validate_keys(referencing regclass)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $function$
declare
    key record;
    validated bigint := 0;
begin
    for key in
        select constrained.conname
        from pg_constraint as constrained
        where constrained.contype = 'f' and constrained.conrelid = validate_keys.referencing
            and constrained.confrelid in ('public.profiles'::regclass, 'public.conversations'::regclass)
            and not constrained.convalidated
    loop
        execute format('alter table %s validate constraint %I', validate_keys.referencing, key.conname);
        validated := validated + 1;
    end loop;
    return validated;
end
$function$;

select quarantine.validate_keys('public.orders') as validated;

select quarantine.validate_keys('public.leads') as validated;

select quarantine.validate_keys('public.conversations') as validated;

select quarantine.validate_keys('public.chat_messages') as validated;

-- 9. Indexes: without one each deleted profile reads the whole table. A plain `create index` keeps writers waiting while it reads
-- the table. `create index concurrently` does not, but runs in no transaction: on large tables take these statements out of the
-- file, write `create index concurrently if not exists`, and run them one at a time. One that was interrupted stays behind
-- INVALID: drop it and make it again. The customer's column is the first of conversations_pair_is_unique, which serves.
create index if not exists orders_by_user on public.orders (user_id);

create index if not exists leads_by_user on public.leads (user_id);

create index if not exists conversations_by_admin on public.conversations (admin_id);

create index if not exists chat_messages_by_sender on public.chat_messages (sender_id);

create index if not exists chat_messages_by_conversation on public.chat_messages (conversation_id);

-- 10. How it stands now: every key is validated, so no orphan is left, and what was moved is in the quarantine.
select
    key.conrelid::regclass as referencing,
    key.conname as named,
    key.convalidated as is_valid,
    count(orphan.id) as in_quarantine
from pg_catalog.pg_constraint as key
left join quarantine.orphans as orphan on key.conname = orphan.key_name and key.conrelid::regclass::text = orphan.table_name
where
    key.contype = 'f'
    and key.conrelid in (
        'public.orders'::regclass, 'public.leads'::regclass, 'public.conversations'::regclass, 'public.chat_messages'::regclass
    )
group by key.conrelid, key.conname, key.convalidated
order by key.conrelid, key.conname;

-- To bring rows back, once the profile (and for messages the conversation) is there again. Conversations come before their
-- messages. Choose the rows in the second line; one that still refers to nobody is refused by its key, and stays in the
-- quarantine.
--
-- with returned as (
--     delete from quarantine.orphans where table_name = 'orders' and user_key = '…' returning row_text
-- )
-- insert into public.orders select (returned.row_text::public.orders).* from returned;
--
-- with returned as (
--     delete from quarantine.orphans where table_name = 'conversations' and user_key = '…' returning row_text
-- )
-- insert into public.conversations select (returned.row_text::public.conversations).* from returned;
--
-- with returned as (
--     delete from quarantine.orphans
--     where table_name = 'chat_messages'
--         and (
--             row_image ->> 'conversation_id' is null
--             or (row_image ->> 'conversation_id')::uuid in (select id from public.conversations)
--         )
--     returning row_text
-- )
-- insert into public.chat_messages select (returned.row_text::public.chat_messages).* from returned;
--
-- with returned as (
--     delete from quarantine.orphans where table_name = 'leads' and user_key = '…' returning row_text
-- )
-- insert into public.leads select (returned.row_text::public.leads).* from returned;
