-- Fills the shop with about so many rows; of those that refer to a user one in twenty is an orphan, the reasons in turn. Users
-- are numbered: of each fifty one has no profile (0), one is erased (1), one is a guest without e-mail (2), one is gone (3), and
-- the others are whole.
create function demo.fill(row_count integer, seed integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    fifties constant integer := greatest(row_count * 24 / 10000, 1);
    conversation_count constant integer := row_count * 8 / 100;
    order_count constant integer := row_count * 32 / 100;
    lead_count constant integer := row_count * 6 / 100;
    message_count constant integer := row_count * 31 / 100;
    span constant interval := interval '400 days';
begin
    insert into public.users (id, email, full_name, created_at, deleted_at)
    select
        md5(format('%s user %s', seed, n))::uuid, case when n % 50 <> 2 then format('person%s@example.org', n) end,
        format('Person %s', n), now() - 2 * span, case when n % 50 = 1 then now() - interval '30 days' end
    from generate_series(0, fifties * 50 - 1) as n
    where n % 50 <> 3;

    insert into public.profiles (id, name, created_at)
    select md5(format('%s user %s', seed, n))::uuid, format('Person %s', n), now() - 2 * span
    from generate_series(0, fifties * 50 - 1) as n
    where n % 50 > 3;

    -- Who is gone had a profile that pgmend once made: that is how the audit knows them.
    insert into public.error_logs (error_type, severity, user_id, message, created_at)
    select
        'MISSING_PROFILE_CREATED', 'info', md5(format('%s user %s', seed, n))::uuid::text, 'the missing profile was created',
        now() - 2 * span
    from generate_series(3, fifties * 50 - 1, 50) as n;

    -- Five admins, the account that takes over what former customers leave, and the users of the live application.
    insert into public.users (id, email, full_name, created_at)
    select md5(format('%s %s', seed, someone))::uuid, someone || '@example.org', someone, now() - 2 * span
    from (
        select format('admin-%s', n) as someone from generate_series(0, 4) as n
        union all
        select format('live-%s', n) from generate_series(0, 39) as n
        union all
        select 'former-customers'
    ) as known;

    insert into public.profiles (id, name, is_admin, created_at)
    select users.id, users.full_name, users.full_name like 'admin-%', now() - 2 * span
    from public.users as users
    where users.full_name not like 'Person %';

    insert into demo.live_users (person)
    select md5(format('%s live-%s', seed, n))::uuid from generate_series(0, 39) as n;

    insert into public.conversations (id, customer_id, admin_id, last_message, created_at)
    select
        md5(format('%s conversation %s', seed, n))::uuid,
        case
            when n % 20 <> 7 then md5(format('%s user %s', seed, 50 * (n / 46) + 4 + n % 46))::uuid
            when n / 20 % 5 < 4 then md5(format('%s user %s', seed, 50 * (n / 100) + n / 20 % 5))::uuid
            else md5(format('%s nobody %s', seed, n))::uuid
        end,
        md5(format('%s admin-%s', seed, n % 5))::uuid, 'hello', now() - span * (1 - n::float8 / conversation_count)
    from generate_series(0, conversation_count - 1) as n;

    insert into public.orders (id, user_id, amount, created_at)
    select
        md5(format('%s order %s', seed, n))::uuid,
        case
            when n % 20 <> 7 then md5(format('%s user %s', seed, 50 * (n * 7919::bigint % fifties) + 4 + n % 46))::uuid
            when n / 20 % 5 < 4 then md5(format('%s user %s', seed, 50 * (n / 100 % fifties) + n / 20 % 5))::uuid
            else md5(format('%s nobody %s', seed, n / 100 % 97))::uuid
        end,
        1 + n % 9973 / 100.0, now() - span * (1 - n::float8 / order_count)
    from generate_series(0, order_count - 1) as n;

    insert into public.chat_messages (id, conversation_id, sender_id, content, created_at)
    select
        md5(format('%s message %s', seed, n))::uuid,
        case when n % 7 < 3 then md5(format('%s conversation %s', seed, n * 31::bigint % conversation_count))::uuid end,
        case
            when n % 20 <> 7 then md5(format('%s user %s', seed, 50 * (n * 7919::bigint % fifties) + 4 + n % 46))::uuid
            when n / 20 % 5 < 4 then md5(format('%s user %s', seed, 50 * (n / 100 % fifties) + n / 20 % 5))::uuid
            else md5(format('%s nobody %s', seed, n / 100 % 89))::uuid
        end,
        format('message %s', n), now() - span * (1 - n::float8 / message_count)
    from generate_series(0, message_count - 1) as n;

    insert into public.leads (id, user_id, source, created_at)
    select
        md5(format('%s lead %s', seed, n))::uuid,
        case
            when n % 20 = 11 then null
            when n % 20 <> 7 then md5(format('%s user %s', seed, 50 * (n * 7919::bigint % fifties) + 4 + n % 46))::uuid::text
            when n / 20 % 6 < 4 then md5(format('%s user %s', seed, 50 * (n / 120 % fifties) + n / 20 % 6))::uuid::text
            when n / 20 % 6 = 4 then md5(format('%s nobody %s', seed, n / 120 % 83))::uuid::text
            else format('legacy-%s', n / 120 % 40)
        end,
        format('import %s', n % 12), now() - span * (1 - n::float8 / lead_count)
    from generate_series(0, lead_count - 1) as n;
end
$function$;
