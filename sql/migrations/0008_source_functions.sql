-- A profile source becomes a handful of functions with static SQL (their plans are cached, and the worker needs no right on the
-- application's tables). N is the source's id:
--   capture_sign_up_N()        trigger on the users table: one event a sign-up; never breaks one
--   heal_batch_N(keys)         builds the missing profiles of many users in one statement, or fails as a whole
--   heal_alone_N(key)          one suspect; a failure is returned as evidence
--   heal_N(keys)               heal_batch_N, with each suspect alone, and split around whatever fails nevertheless
--   heal_one_N(key)            one user, and every error is raised
--   heal_many_N(keys)          those of one statement in the writer's own transaction: whose profile it made; called by
--                              the guards alone
--   hold_N(key)                locks one user who is not erased, until the transaction ends; says whether there is one
--   facts_N(keys)              what is so: the user's state, whether the profile exists, whether somebody absent had signed up
--   sweep_N(most)              writes events for users without a profile that nothing announced
--   count_N()                  how many users there are, and how many have no profile (0018_integrity.sql)
--   wanted_N(key)              whether the source wants a profile for the user, or cannot say
-- All of them take and give keys as text, as the users table prints them. The users row is locked `for share`, not `for key
-- share`: a soft deletion is an update of an ordinary column, and must not slip between our look and our commit. heal_one_N and
-- heal_many_N, which run in writers' transactions, lock it `for no key update` (decision 0001), the latter in the keys' order.
--
-- A suspect is a profile that a NOT NULL or CHECK constraint of the profiles table would refuse, as the recipe builds it. It is
-- only a guess (a trigger may still change the row, the constraint may be gone since), so a suspect is tried like any other,
-- but alone: one bad row does not make a batch of a thousand fail.
--
-- Every look-up is a scalar sub-query with `limit 1`, and sequential scans are off: these plans are made once, often on empty
-- tables, and must still be right when the tables are large. A join would be free to read a whole index.
-- heal_N waits for no lock longer than a moment, and only once: one stuck writer must not hold up everybody else's profile, and
-- many rows of his not a thousand moments long.
create or replace function pgmend.function_templates()
returns table (signature text, built_by text, definition text)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $templates$
values
(
    'pgmend.capture_sign_up_%1$s()',
    null,
    $template$
create or replace function pgmend.capture_sign_up_%1$s()
returns trigger
language plpgsql
security definer
as $function$
begin
    -- No search_path is pinned, which would cost every sign-up: each name is qualified instead, operators and types included.
    insert into pgmend.express_events (source_id, user_key, correlation_id)
    values (
        %1$s, new.%3$I::pg_catalog.text, pg_catalog.current_setting('pgmend.correlation_id', true)
    );
    -- The lease is read here and not in the function: the call would cost more than the reading.
    if pg_catalog.pg_sequence_last_value('pgmend.doorbell_lease') operator(pg_catalog.>) 1000000000000 then
        return null;
    end if;
    perform pgmend.ring_doorbell();
    return null;
exception when others or assert_failure or query_canceled then
    -- A statement that ran out of time while it waited for a lock of ours included: the sign-up goes on.
    raise log 'pgmend could not record a sign-up (%%); the sweep will find it', sqlstate;
    return null;
end
$function$
$template$
),
(
    'pgmend.heal_batch_%1$s(text[])',
    'columns',
    $template$
create or replace function pgmend.heal_batch_%1$s(user_keys text[])
returns table (user_key text, outcome text, failure jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $function$
#variable_conflict use_column
declare
    keys constant %6$s[] := user_keys::%6$s[];
begin
    perform pgmend.refuse_temporary_objects();
    return query
    with built as materialized (
        select
            (select 'already_whole' from %4$s as profile where profile.%5$I = users.%3$I limit 1) as pgmend_outcome,
            users.%3$I as %5$I%8$s
        from %2$s as users
        where users.%3$I = any (keys) and (%9$s) and not coalesce((%10$s), false)
        for share of users skip locked
    ),
    judged as materialized (
        select built.*, coalesce(pgmend_outcome, case when %12$s then 'suspect' end) as pgmend_verdict from built
    ),
    healed as (
        insert into %4$s as profiles (%5$I%7$s)
        select %5$I%7$s from judged where pgmend_verdict is null
        on conflict do nothing
        returning profiles.%5$I as key
    )
    select healed.key::text, 'healed', null::jsonb from healed
    union all
    select judged.%5$I::text, pgmend_verdict, null::jsonb from judged where pgmend_verdict is not null;
    set constraints all immediate;
end
$function$
$template$
),
(
    'pgmend.heal_alone_%1$s(text)',
    null,
    $template$
create or replace function pgmend.heal_alone_%1$s(user_key text)
returns table (healed_key text, outcome text, failure jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    failed_constraint text;
    failed_column text;
    failed_message text;
    failed_context text;
begin
    perform pgmend.defer_again();
    return query
    select user_key, tried.outcome, null::jsonb
    from pgmend.heal_one_%1$s(user_key) as tried (outcome)
    where tried.outcome <> 'not_healed';
    set constraints all immediate;
exception
    when operator_intervention then
        raise;
    when others or assert_failure then
        if sqlstate = '55P03' then
            perform set_config('lock_timeout', '1ms', true);
        end if;
        get stacked diagnostics
            failed_constraint = constraint_name, failed_column = column_name, failed_message = message_text,
            failed_context = pg_exception_context;
        perform pgmend.log_words(user_key, sqlstate, failed_message, failed_context);
        return query select user_key, 'failed', pgmend.evidence(sqlstate, failed_constraint, failed_column, failed_message);
end
$function$
$template$
),
(
    'pgmend.heal_%1$s(text[])',
    null,
    $template$
create or replace function pgmend.heal_%1$s(user_keys text[])
returns table (user_key text, outcome text, failure jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    size constant integer := cardinality(user_keys);
    piece constant integer := case when size > 25 then 25 when size > 5 then 5 else 1 end;
    failed_constraint text;
    failed_column text;
    failed_message text;
    failed_context text;
begin
    return query
    with tried as materialized (select * from pgmend.heal_batch_%1$s(user_keys))
    select tried.user_key, tried.outcome, tried.failure from tried where tried.outcome <> 'suspect'
    union all
    select alone.healed_key, alone.outcome, alone.failure
    from tried
    cross join lateral pgmend.heal_alone_%1$s(tried.user_key) as alone
    where tried.outcome = 'suspect';
exception
    when operator_intervention then
        raise;
    when others or assert_failure then
        if sqlstate = '55P03' then
            perform set_config('lock_timeout', '1ms', true);
        end if;
        if size = 1 then
            get stacked diagnostics
                failed_constraint = constraint_name, failed_column = column_name, failed_message = message_text,
                failed_context = pg_exception_context;
            perform pgmend.log_words(user_keys[1], sqlstate, failed_message, failed_context);
            return query
            select user_keys[1], 'failed', pgmend.evidence(sqlstate, failed_constraint, failed_column, failed_message);
        else
            for piece_start in 1 .. size by piece loop
                perform pgmend.defer_again();
                return query select * from pgmend.heal_%1$s(user_keys[piece_start : piece_start + piece - 1]);
            end loop;
        end if;
end
$function$
$template$
),
(
    'pgmend.heal_one_%1$s(text)',
    'columns',
    $template$
create or replace function pgmend.heal_one_%1$s(user_key text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_variable
declare
    key constant %6$s := user_key::%6$s;
begin
    perform pgmend.refuse_temporary_objects();
    begin
        insert into %4$s (%5$I%7$s)
        select users.%3$I%11$s
        from %2$s as users
        where users.%3$I = key
            and (%9$s) and not coalesce((%10$s), false)
            and (select true from %4$s as profile where profile.%5$I = users.%3$I limit 1) is null
        for no key update of users;
        if found then
            return 'healed';
        end if;
    exception when unique_violation then
        -- The profile appeared meanwhile: that is success. Another unique column is taken: that is not.
        if not exists (select from %4$s as profile where profile.%5$I = key) then
            raise;
        end if;
    end;
    if exists (select from %4$s as profile where profile.%5$I = key) then
        return 'already_whole';
    end if;
    return 'not_healed';
end
$function$
$template$
),
(
    'pgmend.heal_many_%1$s(text[])',
    'columns',
    $template$
create or replace function pgmend.heal_many_%1$s(user_keys text[])
returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
    keys constant %6$s[] := user_keys::%6$s[];
begin
    perform pgmend.refuse_temporary_objects();
    return query
    insert into %4$s as profiles (%5$I%7$s)
    select users.%3$I%11$s
    from %2$s as users
    where users.%3$I = any (keys)
        and (%9$s) and not coalesce((%10$s), false)
        and (select true from %4$s as profile where profile.%5$I = users.%3$I limit 1) is null
    order by users.%3$I
    for no key update of users
    on conflict do nothing
    returning profiles.%5$I::text;
end
$function$
$template$
),
(
    'pgmend.heal_many_%1$s(text[])',
    'function',
    $template$
create or replace function pgmend.heal_many_%1$s(user_keys text[])
returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    return query
    select asked.user_key
    from (select listed.user_key from unnest(user_keys) as listed (user_key) order by listed.user_key::%6$s offset 0) as asked
    where pgmend.heal_one_%1$s(asked.user_key) = 'healed';
end
$function$
$template$
),
(
    'pgmend.heal_batch_%1$s(text[])',
    'function',
    $template$
create or replace function pgmend.heal_batch_%1$s(user_keys text[])
returns table (user_key text, outcome text, failure jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
#variable_conflict use_column
begin
    -- The application's function is called for one user at a time, in the careful lane: who has a profile needs no call.
    return query
    select profile.%5$I::text, 'already_whole', null::jsonb
    from %4$s as profile
    where profile.%5$I = any (user_keys::%6$s[]);
end
$function$
$template$
),
(
    'pgmend.heal_one_%1$s(text)',
    'function',
    $template$
create or replace function pgmend.heal_one_%1$s(user_key text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_variable
declare
    key constant %6$s := user_key::%6$s;
    wanted boolean;
begin
    perform pgmend.refuse_temporary_objects();
    select (%9$s) and not coalesce((%10$s), false) into wanted from %2$s as users where users.%3$I = key
    for no key update of users;
    if exists (select from %4$s as profile where profile.%5$I = key) then
        return 'already_whole';
    end if;
    if wanted is not true then
        return 'not_healed';
    end if;
    begin
        perform %13$s(key);
    exception when unique_violation then
        -- The profile appeared meanwhile: that is success. Another unique column is taken: that is not.
        if not exists (select from %4$s as profile where profile.%5$I = key) then
            raise;
        end if;
        return 'already_whole';
    end;
    return case when exists (select from %4$s as profile where profile.%5$I = key) then 'healed' else 'not_healed' end;
end
$function$
$template$
),
(
    'pgmend.hold_%1$s(text)',
    null,
    $template$
create or replace function pgmend.hold_%1$s(user_key text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_variable
begin
    perform from %2$s as users where users.%3$I = user_key::%6$s and not coalesce((%10$s), false) for share of users;
    return found;
end
$function$
$template$
),
(
    'pgmend.facts_%1$s(text[])',
    null,
    $template$
create or replace function pgmend.facts_%1$s(user_keys text[])
returns table (user_key text, user_state text, profile_exists boolean, known_before boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
#variable_conflict use_column
begin
    -- Of a user who is hidden it would be said that they are erased, and whatever is kept of them would be dropped.
    if row_security_active(%2$L::regclass) and pgmend.hides_rows(%2$L::regclass) then
        raise exception 'row-level security hides users' using errcode = 'insufficient_privilege';
    end if;
    return query
    select
        asked.user_key,
        coalesce(known.user_state, 'absent'),
        coalesce((select true from %4$s as profile where profile.%5$I = asked.user_key::%6$s limit 1), false),
        known.user_state is null and (
            asked.user_key = any (
                array(
                    select event.user_key from pgmend.outbox as event
                    where event.source_id = %1$s and event.kind = 'user_created' and event.user_key = any (user_keys)
                )
            )
            or coalesce(
                (
                    select true
                    from pgmend.audit_entries as entry
                    where entry.user_id = asked.user_key
                        and (entry.details ->> 'source_id')::integer = %1$s
                        and (
                            entry.error_type in ('MISSING_PROFILE_CREATED', 'ERASED_USER_EVENT_DROPPED')
                            or entry.error_type = 'EVENT_DEAD_LETTERED' and entry.details ->> 'kind' = 'user_created'
                        )
                    limit 1
                ),
                false
            )
        )
    from unnest(user_keys) as asked (user_key)
    left join lateral (
        select case when coalesce((%10$s), false) then 'erased' when (%9$s) then 'eligible' else 'not_eligible' end as user_state
        from %2$s as users
        where users.%3$I = asked.user_key::%6$s
        limit 1
    ) as known on true;
end
$function$
$template$
),
(
    'pgmend.wanted_%1$s(text)',
    null,
    $template$
create or replace function pgmend.wanted_%1$s(user_key text)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_variable
begin
    return exists (
        select from %2$s as users
        where users.%3$I = user_key::%6$s and (%9$s) and not coalesce((%10$s), false)
    );
exception when others or assert_failure then
    -- Anything but the user's own values is wrong with the conditions, and no reason to announce everybody.
    if not pgmend.is_of_one_user(sqlstate) then
        raise;
    end if;
    return true;
end
$function$
$template$
),
(
    'pgmend.sweep_%1$s(integer)',
    null,
    $template$
create or replace function pgmend.sweep_%1$s(most integer)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = on
set enable_nestloop = off
set plan_cache_mode = force_custom_plan
as $function$
declare
    found_users bigint;
    missing_users bigint;
    all_users bigint;
    one_by_one boolean := false;
begin
    -- The transaction has its id before the events have theirs: the low-water mark of the claim rests on that order.
    perform pg_current_xact_id();
    if exists (select from pgmend.profile_sources as source where source.source_id = %1$s and source.paused_at is not null) then
        return 0;
    end if;
    loop
        begin
            with missing as materialized (
                select users.%3$I::text as user_key
                from (
                    select users.*
                    from %2$s as users
                    where most > 0
                        and not exists (select from %4$s as profile where profile.%5$I = users.%3$I)
                        and not exists (
                            select from pgmend.outbox as event
                            where event.source_id = %1$s and event.kind = 'user_created' and event.user_key = users.%3$I::text
                        )
                        and not exists (
                            select from pgmend.dead_letters as letter
                            where letter.source_id = %1$s and letter.kind = 'user_created' and letter.user_key = users.%3$I::text
                        )
                    offset 0
                ) as users
                where case when one_by_one then pgmend.wanted_%1$s(users.%3$I::text) else (%9$s) and not coalesce((%10$s), false) end
            ),
            announced as (
                insert into pgmend.express_events (source_id, user_key)
                select %1$s, missing.user_key from missing limit most
                returning event_id
            )
            select (select count(*) from announced), (select count(*) from missing) into found_users, missing_users;
            if pgmend.is_unexpected(%1$s, missing_users) then
                select count(*) into all_users from %2$s;
                if pgmend.is_unexpected(%1$s, missing_users, all_users) then
                    raise exception 'too many' using errcode = 'PM007'; -- nobody is announced
                end if;
            end if;
            exit;
        exception
            when sqlstate 'PM007' then
                perform pgmend.pause_source(
                    %1$s, format('a sweep found %%s of %%s users without a profile', missing_users, all_users)
                );
                return 0;
            when transaction_rollback or insufficient_resources or operator_intervention then
                raise;
            when others or assert_failure then
                -- The conditions choke on somebody, who must not hide all the others. Whom they cannot judge is announced too,
                -- and becomes a dead letter that says why.
                if one_by_one then
                    raise;
                end if;
                one_by_one := true;
        end;
    end loop;
    if found_users > 0 then
        perform pgmend.ring_doorbell();
    elsif most > 0 then
        update pgmend.profile_sources as source set is_armed = true where source.source_id = %1$s and not source.is_armed;
    end if;
    return found_users;
end
$function$
$template$
),
(
    'pgmend.count_%1$s()',
    null,
    $template$
create or replace function pgmend.count_%1$s()
returns table (users bigint, without_profile bigint, overdue bigint)
language plpgsql
security definer
rows 1
set search_path = pg_catalog, pg_temp
set enable_seqscan = on
set enable_nestloop = off
set plan_cache_mode = force_custom_plan
as $function$
declare
    entitled bigint;
    missing_users bigint;
    overdue_users bigint;
    one_by_one boolean := false;
begin
    loop
        begin
            if not one_by_one then
                select count(*) into entitled from %2$s as users where (%9$s) and not coalesce((%10$s), false);
            end if;
            with missing as materialized (
                select users.%3$I::text as user_key
                from (
                    select users.*
                    from %2$s as users
                    where not exists (select from %4$s as profile where profile.%5$I = users.%3$I)
                    offset 0
                ) as users
                where case when one_by_one then pgmend.wanted_%1$s(users.%3$I::text) else (%9$s) and not coalesce((%10$s), false) end
            ),
            overdue as (
                select missing.user_key
                from missing
                where not exists (
                    select from pgmend.outbox as event
                    where event.source_id = %1$s and event.kind = 'user_created' and event.user_key = missing.user_key
                        and event.created_at > clock_timestamp() - interval '1 minute'
                )
            )
            select (select count(*) from missing), (select count(*) from overdue) into missing_users, overdue_users;
            return query select entitled, missing_users, overdue_users;
            return;
        exception
            when transaction_rollback or insufficient_resources or operator_intervention then
                raise;
            when others or assert_failure then
                -- As in sweep_N. How many users are entitled nobody can say then.
                if one_by_one then
                    raise;
                end if;
                entitled := null;
                one_by_one := true;
        end;
    end loop;
end
$function$
$template$
)
$templates$;

-- Whether a SQLSTATE of a source's conditions is the matter of the user for whom it was raised: their values, two rows for a
-- scalar sub-select, or a class that is none of the server's, nor pgmend's, which the application raises for whom it likes.
create or replace function pgmend.is_of_one_user(sqlstate_raised text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
select substr(sqlstate_raised, 1, 2) in ('21', '22', '23', 'P0') or not substr(sqlstate_raised, 1, 2) = any (
    '{00,01,02,03,08,09,0A,0B,0F,0L,0P,0Z,10,20,24,25,26,27,28,2B,2D,2F,34,38,39,3B,3D,3F,40,42,44,53,54,55,57,58,F0,HV,PM,XX}'::text[]
)
$function$;

-- A failure as the events keep it. Two classes quote values of the row in their messages.
create or replace function pgmend.evidence(sqlstate_raised text, constraint_name text, column_name text, message text)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
select jsonb_build_object(
    'sqlstate', sqlstate_raised, 'constraint', nullif(constraint_name, ''), 'column', nullif(column_name, ''),
    'message',
    case substr(sqlstate_raised, 1, 2)
        when '22' then 'the database refused a value'
        when 'P0' then 'a trigger or function raised an error'
        else message
    end
)
$function$;

-- What is caught here never reaches the server's log by itself; what the events do not keep of it is said there, and to no
-- client: whoever is only on call may ask for the server's messages, and not for what they quote.
create or replace function pgmend.log_words(user_key text, sqlstate_raised text, message text, context text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set client_min_messages = 'error'
as $function$
begin
    if sqlstate_raised ~ '^(22|P0)' then
        raise log 'pgmend could not make the profile of user %, SQLSTATE %: %', user_key, sqlstate_raised, message
            using detail = context;
    end if;
end
$function$;

-- What makes a built profile a suspect: an SQL condition over the columns that the recipe gives.
create or replace function pgmend.suspicion(profiles_table regclass, given_columns name[])
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
with given as (
    select attribute.attnum, attribute.attname, attribute.attnotnull
    from pg_attribute as attribute
    where attribute.attrelid = profiles_table and attribute.attname = any(given_columns)
),

conditions (condition) as (
    select format('%I is null', given.attname) from given where given.attnotnull
    union all
    select format('(%s) is false', pg_get_expr(rule.conbin, rule.conrelid))
    from pg_constraint as rule
    where rule.conrelid = profiles_table
        and rule.contype = 'c'
        and rule.conkey <@ (select array_agg(given.attnum) from given)
)

select coalesce(string_agg(conditions.condition, ' or '), 'false') from conditions
$function$;

-- Whether row-level security may hide rows of a table from the present role. A policy that says true to it hides nothing, unless
-- another restricts it.
create or replace function pgmend.hides_rows(relation regclass)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
with policies as (
    select
        policy.polpermissive as is_permissive,
        policy.polcmd = '*'
        and pg_get_expr(policy.polqual, policy.polrelid) = 'true'
        and coalesce(pg_get_expr(policy.polwithcheck, policy.polrelid), 'true') = 'true' as says_true
    from pg_policy as policy
    cross join lateral unnest(policy.polroles) as granted (role)
    where policy.polrelid = relation and (granted.role = 0 or pg_has_role(granted.role, 'usage'))
)

select row_security_active(relation) and (
    not exists (select from policies where policies.is_permissive and policies.says_true)
    or exists (select from policies where not policies.is_permissive and not policies.says_true)
)
$function$;

-- Triggers on the profiles table run with the installer's rights where a profile is made: a name that they leave unqualified
-- could find a temporary table of whoever the session is, and a trigger on it.
create or replace function pgmend.has_temporary_objects()
returns boolean
language sql
volatile
set search_path = pg_catalog, pg_temp
as $function$
select exists (
    select from pg_depend as dependency
    where dependency.refclassid = 'pg_namespace'::regclass and dependency.refobjid = pg_my_temp_schema()
)
$function$;

create or replace function pgmend.refuse_temporary_objects()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    if pg_my_temp_schema() <> 0 and pgmend.has_temporary_objects() then
        raise exception 'no profile is made in a session that has temporary objects' using errcode = 'operator_intervention';
    end if;
end
$function$;

-- A template whose dollar quotes no name can hold, since names of columns, keys and roles are others' to choose, and one that
-- ended a function's body early would have the rest of it run as a statement of the installer's.
create or replace function pgmend.with_quotes_of_its_own(template text)
returns text
language sql
volatile
set search_path = pg_catalog, pg_temp
as $body$
select regexp_replace(template, '[$](function|guard|replay)[$]', format('$pgmend_%s$', replace(gen_random_uuid()::text, '-', '')), 'g')
$body$;

create or replace function pgmend.generate_source_functions(source_id integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_variable
declare
    source pgmend.profile_sources;
    key_type text;
    recipe_columns text;
    typed_expressions text;
    plain_expressions text;
    suspicion text;
    template record;
begin
    select * into strict source
    from pgmend.profile_sources as configured
    where configured.source_id = generate_source_functions.source_id;

    select format_type(attribute.atttypid, -1) into key_type
    from pg_attribute as attribute
    where attribute.attrelid = source.users_table and attribute.attname = source.users_key;

    select
        coalesce(string_agg(format(', %I', entry.key), '' order by entry.key), ''),
        coalesce(
            string_agg(
                format(E',\n            (%s)::%s as %I', entry.value, format_type(attribute.atttypid, -1), entry.key),
                '' order by entry.key
            ),
            ''
        ),
        coalesce(string_agg(format(E',\n            (%s)', entry.value), '' order by entry.key), ''),
        pgmend.suspicion(source.profiles_table, array_agg(entry.key::name) || source.profiles_key)
    into recipe_columns, typed_expressions, plain_expressions, suspicion
    from jsonb_each_text(source.recipe) as entry
    inner join pg_attribute as attribute
        on attribute.attrelid = source.profiles_table and attribute.attname = entry.key and not attribute.attisdropped;

    for template in
        select templates.signature, templates.definition
        from pgmend.function_templates() as templates
        where coalesce(templates.built_by, 'either')
            in ('either', case when source.recipe_function is null then 'columns' else 'function' end)
    loop
        execute format(
            pgmend.with_quotes_of_its_own(template.definition), source_id, source.users_table, source.users_key, source.profiles_table, source.profiles_key,
            key_type, recipe_columns, typed_expressions, source.eligible_when, source.erased_when, plain_expressions, suspicion, source.recipe_function
        );
        perform pgmend.close_function(format(template.signature, source_id));
        -- The others are called by these, with the rights of who attached the source.
        if to_regrole('pgmend_worker') is not null and template.signature ~ '^pgmend\.(heal|heal_one|hold|facts|sweep|count)_%' then
            execute format('grant execute on function %s to pgmend_worker', format(template.signature, source_id));
        end if;
        if to_regrole('pgmend_operator') is not null and template.signature ~ '^pgmend\.facts_%' then
            execute format('grant execute on function %s to pgmend_operator', format(template.signature, source_id));
        end if;
    end loop;
end
$function$;
