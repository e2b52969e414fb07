-- By the source's id: what the worker asks. Each passes on to the function made for that source.
-- A planner that expects a thousand answers from each of two hundred sources prepares for a hash table that fits in no memory.
create or replace function pgmend.heal_users(source_id integer, user_keys text[])
returns table (user_key text, outcome text, failure jsonb)
language plpgsql
rows 5
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $function$
begin
    return query execute format('select * from pgmend.heal_%s($1)', source_id) using user_keys;
end
$function$;

create or replace function pgmend.heal_user(source_id integer, user_key text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    outcome text;
begin
    execute format('select pgmend.heal_one_%s($1)', source_id) into outcome using user_key;
    set constraints all immediate;
    perform pgmend.defer_again();
    return outcome;
end
$function$;

create or replace function pgmend.hold_user(source_id integer, user_key text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    held boolean;
begin
    execute format('select pgmend.hold_%s($1)', source_id) into held using user_key;
    return held;
end
$function$;

create or replace function pgmend.user_facts(source_id integer, user_keys text[])
returns table (user_key text, user_state text, profile_exists boolean, known_before boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
    return query execute format('select * from pgmend.facts_%s($1)', source_id) using user_keys;
end
$function$;

create or replace function pgmend.sweep_users(source_id integer, most integer)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    found_users bigint;
begin
    execute format('select pgmend.sweep_%s($1)', source_id) into found_users using most;
    return found_users;
end
$function$;

-- Of some users of a source, those who are entitled to a profile and have none.
create or replace function pgmend.users_left_without_profile(source pgmend.profile_sources, user_keys text[])
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    left_over text[];
begin
    execute format(
        $query$
        select array(
            select users.%1$I::text from %2$s as users
            where users.%1$I = any($1::%3$s[]) and (%4$s) and not coalesce((%5$s), false)
                and not exists (select from %6$s as profile where profile.%7$I = users.%1$I)
            order by users.%1$I
        )
        $query$,
        source.users_key, source.users_table,
        (
            select format_type(attribute.atttypid, -1) from pg_attribute as attribute
            where attribute.attrelid = source.users_table and attribute.attname = source.users_key
        ),
        source.eligible_when, source.erased_when, source.profiles_table, source.profiles_key
    ) into left_over using user_keys;
    return left_over;
end
$function$;

-- Makes and audits profiles of one source, set-wise or one by one (alone). silent_keys: those of whom nothing was said.
create or replace function pgmend.fill_up(
    wanted_source integer, user_keys text[], alone boolean,
    out healed bigint, out refused bigint, out refusals jsonb, out silent_keys text[]
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    execute format(
        $query$
        with tried as materialized (select user_key, outcome, failure from $query$ || case
            when alone then 'unnest($1) as asked (key) cross join lateral pgmend.heal_alone_%1$s(asked.key) as alone (user_key, outcome, failure)'
            else 'pgmend.heal_%1$s($1)'
        end || $query$),
        audited as (
            insert into pgmend.audit_entries (error_type, severity, user_id, message, details)
            select
                'MISSING_PROFILE_CREATED', 'info', tried.user_key, 'the missing profile was created',
                jsonb_build_object('verdict', 'healed', 'source_id', %1$s, 'lane', 'backfill')
            from tried where tried.outcome = 'healed'
            returning user_id
        ),
        refusal as (
            select tried.failure, count(*) as users from tried where tried.outcome = 'failed' group by tried.failure
        )
        select
            (select count(*) from audited),
            (select coalesce(sum(refusal.users), 0) from refusal),
            (select coalesce(jsonb_agg(refusal.failure || jsonb_build_object('users', refusal.users)), '[]') from refusal),
            array(select asked.key from unnest($1) as asked (key) except select tried.user_key from tried)
        $query$,
        wanted_source
    ) into healed, refused, refusals, silent_keys using user_keys;
end
$function$;

-- What a condition of a source raises where it is asked for some of its users: null, null where nothing.
create or replace function pgmend.raised_by_condition(
    source pgmend.profile_sources, written text, user_keys text[], out raised text, out message text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    execute format(
        'select from (select (%1$s) as holds from %2$s as users where users.%3$I = any ($1::%4$s[]) offset 0) as judged where judged.holds',
        written, source.users_table, source.users_key,
        (
            select format_type(attribute.atttypid, -1) from pg_attribute as attribute
            where attribute.attrelid = source.users_table and attribute.attname = source.users_key
        )
    ) using user_keys;
exception
    when transaction_rollback or insufficient_resources or operator_intervention or lock_not_available or object_in_use then
        raise;
    when others or assert_failure then
        raised := sqlstate;
        message := left(split_part(sqlerrm, e'\n', 1), 300); -- it is told in probes and alerts
end
$function$;

-- Which conditions of a source raise whoever the user is, and what: for nobody already, or for each of a few users, as one that
-- calls a function raises only when there is somebody to call it for. What it raises for some of them is their matter, and so
-- are the values of one user, or of each: neither is told here.
create or replace function pgmend.refused_conditions(wanted_source integer)
returns table (condition text, written text, raised text, message text)
language plpgsql
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_variable
declare
    source pgmend.profile_sources;
    keys text[];
begin
    select configured.* into strict source from pgmend.profile_sources as configured where configured.source_id = wanted_source;
    if not exists (select from pg_class as relation where relation.oid = source.users_table) then
        return; -- to be told by the functions that name the table: all that is left here is its number
    end if;
    execute format('select array(select users.%1$I::text from %2$s as users limit 20)', source.users_key, source.users_table) into keys;
    for condition, written in values ('eligible_when', source.eligible_when), ('erased_when', source.erased_when) loop
        -- All of them at once: most conditions raise nothing, and a look at two hundred sources must not take long.
        continue when (select together.raised is null from pgmend.raised_by_condition(source, written, keys) as together);
        return query
        with tried as materialized (
            select asked.for_nobody, answer.raised, answer.message
            from (
                select true as for_nobody, '{}'::text[] as keys
                union all
                select false, array[one.key] from unnest(keys) as one (key)
            ) as asked
            cross join lateral pgmend.raised_by_condition(source, written, asked.keys) as answer
        )
        select condition, written, tried.raised, tried.message
        from tried
        where tried.raised !~ '^(21|22|23|P0)'
            and (tried.for_nobody or not exists (select from tried as other where not other.for_nobody and other.raised is null))
        order by tried.for_nobody desc
        limit 1;
    end loop;
end
$function$;

-- Makes the events of a source that wait for their next attempt due at once, and forgets what they have met: that has changed, so
-- that whoever knows it need not wait for the longest delay. Returns how many there were. attach_source calls it, as
-- a source that was attached again judges anew, and `pgmend resume`, for a cause that was mended elsewhere.
-- The rows are locked first, in the order of their ids, and waited for: what a worker handles at this moment is due, and may be
-- given back with a failure of before. Not for long: whoever resumes events in another order must not be the victim of a
-- deadlock.
create or replace function pgmend.make_events_due(wanted_source integer)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $function$
declare
    made_due bigint;
begin
    perform from pgmend.careful_events as event
    where event.source_id = wanted_source and event.last_failure is not null
    order by event.event_id
    for update;
    update pgmend.careful_events as event
    set available_at = clock_timestamp(), attempts = least(event.attempts, 1), last_failure = null
    where event.source_id = wanted_source and event.last_failure is not null
        and (event.attempts = 0 or event.available_at > clock_timestamp());
    get diagnostics made_due = row_count;
    if made_due > 0 then
        perform pgmend.ring_doorbell();
    end if;
    return made_due;
end
$function$;

-- Makes the missing profiles among the next users of a source, in the order of their keys, after one (null: from the first): for
-- a person who fills up what is missing. So many users are looked at, most of whom have a profile. Of those who are not eligible,
-- or erased, nothing is said. Whoever should have a profile afterwards and has none is refused, with the reason, one for each:
-- refusals: [{"sqlstate", "constraint", "column", "message", "users"}]. The set-wise heal says nothing of a user whom somebody
-- holds, whose other unique key is taken, or whose row a trigger drops: each of these is tried once more, alone, which tells.
-- last_key is null where there is nobody after that key. A paused source is refused.
create or replace function pgmend.backfill_users(
    wanted_source integer, after text, most integer,
    out last_key text, out looked bigint, out healed bigint, out refused bigint, out refusals jsonb
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $function$
declare
    source pgmend.profile_sources;
    keys text[];
    silent_keys text[];
    filled record;
    dropped bigint;
begin
    select configured.* into strict source from pgmend.profile_sources as configured where configured.source_id = wanted_source;
    if source.paused_at is not null then
        raise exception 'the profile source % is paused', wanted_source
            using errcode = 'PM012', detail = coalesce(source.paused_because, ''), hint = 'pgmend resume lets it go on.';
    end if;
    execute format(
        $query$
        with looked_at as materialized (
            select users.%1$I as key from %2$s as users
            where $1 is null or users.%1$I > $1::%3$s
            order by users.%1$I
            limit $2
        )
        select
            (select looked_at.key::text from looked_at order by looked_at.key desc limit 1),
            (select count(*) from looked_at),
            array(
                select looked_at.key::text from looked_at
                where not exists (select from %4$s as profile where profile.%5$I = looked_at.key)
            )
        $query$,
        source.users_key, source.users_table,
        (
            select format_type(attribute.atttypid, -1) from pg_attribute as attribute
            where attribute.attrelid = source.users_table and attribute.attname = source.users_key
        ),
        source.profiles_table, source.profiles_key
    ) into last_key, looked, keys using after, most;
    healed := 0;
    refused := 0;
    refusals := '[]';
    if last_key is null then
        return;
    end if;

    -- The application's own function is called for one user at a time.
    select * into filled from pgmend.fill_up(wanted_source, keys, alone => source.recipe_function is not null);
    healed := filled.healed;
    refused := filled.refused;
    refusals := filled.refusals;
    silent_keys := pgmend.users_left_without_profile(source, filled.silent_keys);
    if cardinality(silent_keys) > 0 and source.recipe_function is null then
        select * into filled from pgmend.fill_up(wanted_source, silent_keys, alone => true);
        healed := healed + filled.healed;
        refused := refused + filled.refused;
        refusals := refusals || filled.refusals;
        silent_keys := pgmend.users_left_without_profile(source, filled.silent_keys);
    end if;
    dropped := cardinality(silent_keys);
    if dropped > 0 then
        refused := refused + dropped;
        refusals := refusals || jsonb_build_array(
            pgmend.evidence('PM003', null, null, 'the profile was not made, and no error says why') || jsonb_build_object('users', dropped)
        );
    end if;
end
$function$;
