-- What already went wrong between users, profiles and whatever refers to them: one query with one result, to be pasted into an
-- SQL editor. It changes nothing, stands in no writer's way, and needs nothing of pgmend. Run it as a role that sees all rows:
-- what a policy hides is taken for absent. `pgmend diagnose` says the same and more, and finds the columns by itself.
--
-- Names to change are those of these parts:
--   users          the users table, its key, who is to have a profile, who is softly deleted
--   profiles       the profiles table and its key; its name once more in profiles_table
--   referencing    one select for each column that refers to a profile: table, column, the key as text, the key in the type of
--                  the profiles' key (null where it is none: malformed), and when the row was made. Of a text column write,
--                  which reads a uuid however it is spelled,
--                  case when user_id ~* '^\s*(([0-9a-f]{4}-?){7}[0-9a-f]{4}|\{([0-9a-f]{4}-?){7}[0-9a-f]{4}\})\s*$'
--                  then regexp_replace(user_id, '[^0-9A-Fa-f]', '', 'g')::uuid end
--   listed         the same tables and columns once more, for the catalog
--   once_known     keys of users who are not there any more. Where pgmend is installed its audit knows them; put there
--                  select user_id as user_key from pgmend.audit_entries
--                  where error_type in ('MISSING_PROFILE_CREATED', 'ERASED_USER_EVENT_DROPPED')
-- Reasons: healable (the user is there, only the profile is missing), not_eligible, erased, gone, unknown, malformed.
with users as not materialized (
    select
        users.id as user_key,
        true as is_eligible,
        users.deleted_at is not null as is_erased
    from public.users
),

profiles as not materialized (
    select profiles.id as user_key from public.profiles
),

profiles_table as (
    select 'public.profiles'::regclass as relation
),

referencing as (
    select
        'public.orders' as table_name,
        'user_id' as column_name,
        user_id::text as spelled,
        user_id as user_key,
        created_at as seen_at
    from public.orders
    union all
    select 'public.chat_messages', 'sender_id', sender_id::text, sender_id, created_at
    from public.chat_messages
    union all
    select 'public.conversations', 'customer_id', customer_id::text, customer_id, created_at
    from public.conversations
    union all
    select 'public.conversations', 'admin_id', admin_id::text, admin_id, created_at
    from public.conversations
    union all
    select 'public.leads', 'user_id', user_id::text, user_id, created_at
    from public.leads
),

listed (table_name, column_name) as (
    values
    ('public.orders', 'user_id'),
    ('public.chat_messages', 'sender_id'),
    ('public.conversations', 'customer_id'),
    ('public.conversations', 'admin_id'),
    ('public.leads', 'user_id')
),

once_known as (
    select null::text as user_key
    where false
),

orphans as (
    select
        referencing.table_name, referencing.column_name, referencing.spelled, referencing.user_key,
        count(*) as orphans,
        min(referencing.seen_at) as first_seen,
        max(referencing.seen_at) as last_seen,
        count(*) filter (where referencing.seen_at > now() - interval '1 day') as last_day
    from referencing
    where
        referencing.spelled is not null
        and not exists (
            select from profiles
            where profiles.user_key = referencing.user_key
        )
    group by referencing.table_name, referencing.column_name, referencing.spelled, referencing.user_key
),

judged as (
    select
        orphans.*,
        case
            when orphans.user_key is null then 'malformed'
            when users.is_erased then 'erased'
            when users.is_eligible then 'healable'
            when users.user_key is not null then 'not_eligible'
            when once_known.user_key is not null then 'gone'
            else 'unknown'
        end as reason
    from orphans
    left join users on orphans.user_key = users.user_key
    left join (select distinct once_known.user_key from once_known) as once_known
        on orphans.user_key::text = once_known.user_key
),

reasons as (
    select
        judged.table_name, judged.column_name, judged.reason,
        sum(judged.orphans) as orphans,
        count(*) as distinct_keys,
        min(judged.first_seen) as first_seen,
        max(judged.last_seen) as last_seen,
        sum(judged.last_day) as last_day,
        (array_agg(judged.spelled order by judged.orphans desc, judged.spelled asc))[1:3] as sample_keys
    from judged
    group by judged.table_name, judged.column_name, judged.reason
),

coverage as (
    select
        count(*) as users,
        count(*) filter (where users.is_eligible and not users.is_erased) as eligible,
        count(profiles.user_key) filter (where users.is_eligible and not users.is_erased) as covered
    from users
    left join profiles on users.user_key = profiles.user_key
)

select
    1 as part, 'coverage' as subject, 'users' as what, coverage.users::text as finding,
    null::bigint as distinct_keys, null::timestamptz as first_seen, null::timestamptz as last_seen,
    null::bigint as last_day, null::text[] as sample_keys
from coverage
union all
select 1, 'coverage', 'eligible users', coverage.eligible::text, null, null, null, null, null
from coverage
union all
select 1, 'coverage', 'profiles', (select count(*) from profiles)::text, null, null, null, null, null
union all
select 1, 'coverage', 'eligible users without profile', (coverage.eligible - coverage.covered)::text, null, null, null, null, null
from coverage
union all
select
    1, 'coverage', 'eligible users with a profile, percent',
    coalesce(trunc(100.0 * coverage.covered / nullif(coverage.eligible, 0), 2), 100)::text, null, null, null, null, null
from coverage
union all
select
    2, profiles_table.relation::text, format('column %s', attribute.attname),
    format_type(attribute.atttypid, attribute.atttypmod) || case when attribute.attnotnull then ' not null' else '' end,
    null, null, null, null, null
from profiles_table
inner join pg_catalog.pg_attribute as attribute on profiles_table.relation = attribute.attrelid
where attribute.attnum > 0 and not attribute.attisdropped
union all
select
    2, profiles_table.relation::text, format('constraint %s', entry.conname), pg_get_constraintdef(entry.oid),
    null, null, null, null, null
from profiles_table
inner join pg_catalog.pg_constraint as entry on profiles_table.relation = entry.conrelid
where entry.contype in ('p', 'u', 'f', 'c', 'x')
union all
select
    3, format('%s.%s', listed.table_name, listed.column_name), 'foreign key',
    coalesce(
        string_agg(entry.conname || ' ' || pg_get_constraintdef(entry.oid), '; ' order by entry.conname), 'no key'
    ),
    null, null, null, null, null
from listed
cross join profiles_table
inner join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = listed.table_name::regclass and listed.column_name = attribute.attname
left join pg_catalog.pg_constraint as entry
    on
        attribute.attrelid = entry.conrelid
        and entry.contype = 'f'
        and profiles_table.relation = entry.confrelid
        and attribute.attnum = any(entry.conkey)
group by listed.table_name, listed.column_name
union all
select
    3, format('%s.%s', listed.table_name, listed.column_name), 'index',
    coalesce(string_agg(rule.indexrelid::regclass::text, ', '), 'none'), null, null, null, null, null
from listed
inner join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = listed.table_name::regclass and listed.column_name = attribute.attname
left join pg_catalog.pg_index as rule
    on
        attribute.attrelid = rule.indrelid
        and rule.indisvalid
        and rule.indpred is null
        and rule.indkey[0] = attribute.attnum
group by listed.table_name, listed.column_name
union all
select
    4, format('%s.%s', reasons.table_name, reasons.column_name), format('orphans, %s', reasons.reason), reasons.orphans::text,
    reasons.distinct_keys, reasons.first_seen, reasons.last_seen, reasons.last_day::bigint, reasons.sample_keys
from reasons
order by part, subject, what;
