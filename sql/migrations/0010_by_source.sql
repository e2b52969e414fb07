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
