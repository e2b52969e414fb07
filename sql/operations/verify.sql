-- Whether every reference to a profile leads to one, and stays so: one query with one result, to be pasted into an SQL editor. It
-- changes nothing, stands in no writer's way, and needs nothing of pgmend. Run it as a role that sees all rows. Each line is a
-- check, what does not hold first; `pgmend verify` checks the same with an exit status.
--
-- Names to change are those of these parts:
--   users          the users table, its key, who is to have a profile, who is softly deleted
--   profiles       the profiles table and its key; its name once more in profiles_table
--   listed         a line for each column that refers to a profile
--   orphans        a select for each of these columns; profiles.user_key is compared with the column. In place of a text column
--                  that should refer to a uuid write, which reads one however it is spelled,
--                  case when user_id ~* '^\s*(([0-9a-f]{4}-?){7}[0-9a-f]{4}|\{([0-9a-f]{4}-?){7}[0-9a-f]{4}\})\s*$'
--                  then regexp_replace(user_id, '[^0-9A-Fa-f]', '', 'g')::uuid end
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

listed (table_name, column_name) as (
    values
    ('public.orders', 'user_id'),
    ('public.chat_messages', 'sender_id'),
    ('public.conversations', 'customer_id'),
    ('public.conversations', 'admin_id'),
    ('public.leads', 'user_id')
),

orphans (table_name, column_name, orphans) as (
    select 'public.orders', 'user_id', count(*)
    from public.orders as referencing
    where
        user_id is not null and not exists (
            select from profiles
            where profiles.user_key = referencing.user_id
        )
    union all
    select 'public.chat_messages', 'sender_id', count(*)
    from public.chat_messages as referencing
    where
        sender_id is not null and not exists (
            select from profiles
            where profiles.user_key = referencing.sender_id
        )
    union all
    select 'public.conversations', 'customer_id', count(*)
    from public.conversations as referencing
    where
        customer_id is not null and not exists (
            select from profiles
            where profiles.user_key = referencing.customer_id
        )
    union all
    select 'public.conversations', 'admin_id', count(*)
    from public.conversations as referencing
    where
        admin_id is not null and not exists (
            select from profiles
            where profiles.user_key = referencing.admin_id
        )
    union all
    select 'public.leads', 'user_id', count(*)
    from public.leads as referencing
    where user_id is not null and not exists (
        select from profiles
        where profiles.user_key = referencing.user_id
    )
),

referring as (
    select listed.table_name, listed.column_name, attribute.attrelid as relation, attribute.attnum as number
    from listed
    inner join pg_catalog.pg_attribute as attribute
        on attribute.attrelid = listed.table_name::regclass and listed.column_name = attribute.attname
),

keys as (
    select referring.table_name, referring.column_name, count(entry.oid) as keys, bool_or(entry.convalidated) as is_validated
    from referring
    cross join profiles_table
    left join pg_catalog.pg_constraint as entry
        on
            referring.relation = entry.conrelid
            and entry.contype = 'f'
            and profiles_table.relation = entry.confrelid
            and referring.number = any(entry.conkey)
    group by referring.table_name, referring.column_name
),

checks as (
    select
        'users' as subject, 'profiles_complete' as name,
        not exists (
            select
            from users
            where
                users.is_eligible
                and not users.is_erased
                and not exists (
                    select from profiles
                    where profiles.user_key = users.user_key
                )
        ) as has_passed,
        'fails' as otherwise
    union all
    select format('%s.%s', orphans.table_name, orphans.column_name), 'no_orphans', orphans.orphans = 0, 'fails'
    from orphans
    union all
    select format('%s.%s', keys.table_name, keys.column_name), 'key_present', keys.keys > 0, 'fails'
    from keys
    union all
    select format('%s.%s', keys.table_name, keys.column_name), 'key_validated', keys.is_validated, 'fails'
    from keys
    where keys.keys > 0
    union all
    select
        format('%s.%s', referring.table_name, referring.column_name), 'key_indexed',
        exists(
            select
            from pg_catalog.pg_index as rule
            where
                rule.indrelid = referring.relation
                and rule.indisvalid
                and rule.indpred is null
                and rule.indkey[0] = referring.number
        ),
        'warns'
    from referring
)

select case when checks.has_passed then 'holds' else checks.otherwise end as state, checks.name, checks.subject
from checks
order by checks.has_passed, checks.subject, checks.name;
