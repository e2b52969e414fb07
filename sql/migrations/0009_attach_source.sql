-- The kind of a key: two keys of one kind compare by an operator of the catalog that their indexes serve. Null for a type that
-- cannot be a key here. A domain is of the kind of its base type, unless it forbids null: the functions are tried on no user.
create or replace function pgmend.key_kind(key_type regtype)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
with recursive bases (oid) as (
    select key_type::oid
    union all
    select domain.typbasetype
    from bases
    inner join pg_type as domain on bases.oid = domain.oid and domain.typtype = 'd' and not domain.typnotnull
)

select kinds.kind
from (
    values
    ('uuid'::regtype, 'uuid'), ('text', 'text'), ('varchar', 'text'), ('bpchar', 'char'), ('smallint', 'integer'),
    ('integer', 'integer'), ('bigint', 'integer'), ('numeric', 'numeric')
) as kinds (type, kind)
inner join bases on kinds.type::oid = bases.oid
$function$;

-- What the calling role may not do, of what attaching and healing need, as the words of a grant. given_columns: those of the
-- recipe; null where a function of the application makes the profile, with rights of its own.
create or replace function pgmend.missing_rights(
    users_table regclass,
    profiles_table regclass,
    profiles_key name,
    given_columns name[]
)
returns table (missing_right text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
with relations as (
    select relation.oid, relation.relnamespace, space.nspname, relation.oid = users_table as holds_users
    from pg_class as relation
    inner join pg_namespace as space on space.oid = relation.relnamespace
    where relation.oid in (users_table, profiles_table)
),

needed (position, right_words, is_there) as (
    select 1, format('usage on schema %I', relations.nspname), has_schema_privilege(relations.relnamespace, 'usage')
    from relations
    union all
    values
    (2, format('select on table %s', users_table), has_table_privilege(users_table, 'select')),
    -- Locking a row takes the right to update some column of it.
    (3, format('update on table %s', users_table), has_any_column_privilege(users_table, 'update')),
    (4, format('trigger on table %s', users_table), has_table_privilege(users_table, 'trigger')),
    (5, format('select on table %s', profiles_table), has_column_privilege(profiles_table, profiles_key::text, 'select')),
    (
        6,
        format('insert on table %s', profiles_table),
        given_columns is null or not exists (
            select from unnest(given_columns || profiles_key) as given
            where not has_column_privilege(profiles_table, given::text, 'insert')
        )
    )
)

select distinct on (needed.position, needed.right_words) needed.right_words
from needed
where not needed.is_there
order by needed.position, needed.right_words
$function$;

-- How many users have no profile and should have one; counts no further than `most`. With the rights of the caller.
create or replace function pgmend.users_without_profile(
    users_table regclass,
    users_key name,
    profiles_table regclass,
    profiles_key name,
    eligible_when text,
    erased_when text,
    most integer
)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = on
as $function$
declare
    counted bigint;
begin
    execute format(
        'select count(*) from ('
        'select from %1$s as users '
        'where not exists (select from %3$s as profile where profile.%4$I = users.%2$I) '
        'and (%5$s) and not coalesce((%6$s), false) limit %7$s) as lacking',
        users_table, users_key, profiles_table, profiles_key, eligible_when, erased_when, most
    ) into counted;
    return counted;
end
$function$;

-- Refuses a source that names a column which is not there.
create or replace function pgmend.require_columns(proposed pgmend.profile_sources)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    missing_column text;
begin
    select format('%s.%s', wanted.relation, wanted.column_name) into missing_column
    from (
        values (proposed.users_table, proposed.users_key), (proposed.profiles_table, proposed.profiles_key)
        union all
        select proposed.profiles_table, given::name from jsonb_object_keys(proposed.recipe) as given
    ) as wanted (relation, column_name)
    where not exists (
        select from pg_attribute as attribute
        where attribute.attrelid = wanted.relation and attribute.attname = wanted.column_name and not attribute.attisdropped
    );
    if missing_column is not null then
        raise exception 'there is no column %', missing_column
            using errcode = 'undefined_column', hint = 'Name the key columns (users_key => …, profiles_key => …), and in the recipe columns of the profiles table.';
    end if;
end
$function$;

-- Refuses a source whose keys are none, or cannot be compared.
create or replace function pgmend.require_keys(proposed pgmend.profile_sources)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    ambiguous_key text;
    users_key_type regtype;
    profiles_key_type regtype;
begin
    select format('%s.%I', wanted.relation, wanted.key_column) into ambiguous_key
    from (
        values (proposed.users_table, proposed.users_key), (proposed.profiles_table, proposed.profiles_key)
    ) as wanted (relation, key_column)
    where not exists (
        select
        from pg_index as rule
        inner join pg_attribute as attribute on attribute.attrelid = rule.indrelid and attribute.attnum = rule.indkey[0]
        where rule.indrelid = wanted.relation
            and rule.indisunique
            and rule.indisvalid
            and rule.indimmediate
            and rule.indnkeyatts = 1
            and rule.indpred is null
            and attribute.attname = wanted.key_column
    );
    if ambiguous_key is not null then
        raise exception '% is no key of its own', ambiguous_key
            using
                errcode = 'invalid_column_reference',
                hint = 'One user has one profile: both key columns need a unique index of one column. A composite key cannot be attached.';
    end if;

    select users.atttypid, profiles.atttypid into strict users_key_type, profiles_key_type
    from pg_attribute as users
    cross join pg_attribute as profiles
    where users.attrelid = proposed.users_table and users.attname = proposed.users_key
        and profiles.attrelid = proposed.profiles_table and profiles.attname = proposed.profiles_key;
    if pgmend.key_kind(users_key_type) is null then
        raise exception 'the key %.% is of type %', proposed.users_table, quote_ident(proposed.users_key), users_key_type
            using
                errcode = 'feature_not_supported',
                hint = 'Keys of type uuid, text, varchar, char, smallint, integer, bigint and numeric can be attached.';
    end if;
    if pgmend.key_kind(profiles_key_type) is distinct from pgmend.key_kind(users_key_type) then
        raise exception 'the keys %.% (%) and %.% (%) are not of one kind',
            proposed.users_table, quote_ident(proposed.users_key), users_key_type,
            proposed.profiles_table, quote_ident(proposed.profiles_key), profiles_key_type
            using
                errcode = 'datatype_mismatch',
                hint = 'Give the key of the profiles the type that the key of the users has.';
    end if;
end
$function$;

-- Refuses a source whose functions could not do their work with the rights of whoever attaches it, or would lend them.
create or replace function pgmend.require_rights(proposed pgmend.profile_sources)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    missing_rights text;
    hidden_table regclass;
begin
    select string_agg(rights.missing_right, ', ') into missing_rights
    from pgmend.missing_rights(
        proposed.users_table, proposed.profiles_table, proposed.profiles_key,
        case
            when proposed.recipe_function is null
                then array(select given::name from jsonb_object_keys(proposed.recipe) as given)
        end
    ) as rights;
    if missing_rights is not null then
        raise exception 'the role % lacks: %', current_user, missing_rights
            using
                errcode = 'insufficient_privilege',
                hint = format('Let the owner grant each of these to %I, or attach as the owner.', current_user);
    end if;

    -- The functions of the source look with the rights of whoever attaches it. A user whom a policy hides would be taken for one
    -- who is erased.
    select wanted.relation into hidden_table
    from (values (proposed.users_table), (proposed.profiles_table)) as wanted (relation)
    where pgmend.hides_rows(wanted.relation);
    if hidden_table is not null then
        raise exception 'row-level security hides rows of % from %', hidden_table, current_user
            using
                errcode = 'insufficient_privilege',
                hint = format(
                    'Attach it as a role with BYPASSRLS, or: create policy pgmend on %s to %I using (true)', hidden_table, current_user
                );
    end if;

    -- Triggers, defaults and constraints of the profiles table run with the installer's rights whenever a profile is made.
    if not exists (
        select from pg_class as relation
        where relation.oid = proposed.profiles_table and pg_has_role(relation.relowner, current_user, 'member')
    ) then
        raise exception 'the owner of % is not to be trusted with the rights of %', proposed.profiles_table, current_user
            using
                errcode = 'insufficient_privilege',
                hint = 'Install pgmend as the role that owns the application''s tables.';
    end if;
end
$function$;

-- Refuses a recipe that a person has to decide first, two recipes, and a function that cannot be called with a user's key.
create or replace function pgmend.require_recipe(proposed pgmend.profile_sources, recipe_function regprocedure)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    undecided_columns text;
begin
    select string_agg(quote_ident(entry.key), ', ' order by entry.key) into undecided_columns
    from jsonb_each_text(proposed.recipe) as entry
    where entry.value ~ '^\s*--\s*decide';
    if undecided_columns is not null then
        raise exception 'the recipe leaves it to a person what becomes of %', undecided_columns
            using
                errcode = 'invalid_parameter_value',
                hint = 'Put an SQL expression over the users row in place of each `-- decide`.';
    end if;

    if require_recipe.recipe_function is not null then
        if proposed.recipe <> '{}' then
            raise exception 'there are two recipes, columns and a function'
                using errcode = 'invalid_parameter_value', hint = 'Give recipe => … or recipe_function => …, not both.';
        end if;
        if not exists (
            select
            from pg_proc as routine
            inner join pg_attribute as attribute
                on attribute.attrelid = proposed.users_table and attribute.attname = proposed.users_key
            where routine.oid = require_recipe.recipe_function
                and routine.prokind = 'f' and routine.pronargs = 1 and routine.proargtypes[0] = attribute.atttypid
        ) then
            raise exception '% does not take the key of a user alone', require_recipe.recipe_function
                using
                    errcode = 'invalid_function_definition',
                    hint = 'A recipe function has one argument, of the type of the users table''s key.';
        end if;
    end if;
end
$function$;

-- Attaches a users table and its profiles table: stores the configuration, makes the functions, tries each of them on no user
-- at all (a recipe that does not parse is refused here), and only then puts the trigger on the users table
-- (ShareRowExclusive lock on it, for an instant). Safe to call again: the recipe is replaced, and
-- what waits for its next attempt is due at once. An expression that is `-- decide`
-- is what `pgmend attach` writes where only a person can know; it is refused here.
create or replace function pgmend.attach_source(
    users_table regclass,
    profiles_table regclass,
    recipe jsonb default '{}',
    users_key name default 'id',
    profiles_key name default 'id',
    eligible_when text default 'true',
    erased_when text default 'false',
    recipe_function regprocedure default null
)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    proposed pgmend.profile_sources;
    new_source_id integer;
begin
    proposed.users_table := attach_source.users_table;
    proposed.users_key := attach_source.users_key;
    proposed.profiles_table := attach_source.profiles_table;
    proposed.profiles_key := attach_source.profiles_key;
    proposed.recipe := attach_source.recipe;
    proposed.recipe_function := attach_source.recipe_function::oid::regproc::text;
    perform pgmend.require_columns(proposed);
    perform pgmend.require_keys(proposed);
    perform pgmend.require_rights(proposed);
    perform pgmend.require_recipe(proposed, attach_source.recipe_function);

    insert into pgmend.profile_sources as source
        (users_table, users_key, profiles_table, profiles_key, recipe, eligible_when, erased_when, recipe_function)
    values (
        attach_source.users_table, attach_source.users_key, attach_source.profiles_table, attach_source.profiles_key,
        attach_source.recipe, attach_source.eligible_when, attach_source.erased_when,
        attach_source.recipe_function::oid::regproc::text
    )
    on conflict on constraint profile_sources_pair_is_attached_once do update set
        users_key = excluded.users_key,
        profiles_key = excluded.profiles_key,
        recipe = excluded.recipe,
        eligible_when = excluded.eligible_when,
        erased_when = excluded.erased_when,
        recipe_function = excluded.recipe_function,
        is_armed = false
    returning source.source_id into new_source_id;

    perform pgmend.generate_source_functions(new_source_id);
    execute format('select from pgmend.heal_batch_%s(''{}'')', new_source_id);
    execute format('select pgmend.heal_one_%s(null), pgmend.hold_%s(null)', new_source_id, new_source_id);
    execute format('select from pgmend.facts_%s(''{}'')', new_source_id);
    execute format('select pgmend.sweep_%s(0)', new_source_id);

    -- What was wrong with the source is so no longer, as its functions have just been tried.
    delete from pgmend.source_failures as failure where failure.source_id = new_source_id;
    perform pgmend.make_events_due(new_source_id);

    execute format(
        'create or replace trigger pgmend_capture_sign_up_%1$s after insert on %2$s '
        'for each row execute function pgmend.capture_sign_up_%1$s()',
        new_source_id, attach_source.users_table
    );
    return new_source_id;
end
$function$;

-- Detaches one source: its guards and their triggers, the sign-up trigger, the functions made for it, its events and its
-- configuration. Needs to own the functions, not the tables. Refused (PM011) while captured rows of the source would be lost,
-- unless discard_events. Profiles and audit entries stay.
--
-- Dropping a trigger locks its table (AccessExclusive, for an instant). A sign-up locks the users table and then writes an event;
-- the worker locks events and then users. So the events go first, row by row, as the worker may hold them and as they may be
-- many; then the tables, and what events came meanwhile. A lock that does not come soon is given up before the server looks for
-- deadlocks, so that no application's transaction is ever the victim.
create or replace function pgmend.detach_source(source_id integer, discard_events boolean default false)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $function$
#variable_conflict use_column
declare
    guarded record;
    template record;
begin
    if not exists (select from pgmend.profile_sources as source where source.source_id = detach_source.source_id) then
        raise exception 'there is no profile source %', detach_source.source_id
            using errcode = 'undefined_object', hint = 'pgmend.profile_sources lists the sources.';
    end if;
    perform pgmend.drop_events(detach_source.source_id, detach_source.discard_events);
    execute format('drop function if exists pgmend.capture_sign_up_%s() cascade', detach_source.source_id);
    for guarded in
        select guard.referencing_table, guard.constraint_name
        from pgmend.guarded_constraints as guard
        where guard.source_id = detach_source.source_id
        order by guard.guard_id
    loop
        perform pgmend.unguard(guarded.referencing_table, guarded.constraint_name);
    end loop;
    -- A capture that is under way is waited for, and counted.
    lock table pgmend.careful_events, pgmend.dead_letters in share row exclusive mode;
    perform pgmend.drop_events(detach_source.source_id, detach_source.discard_events);

    delete from pgmend.profile_sources as source where source.source_id = detach_source.source_id;
    for template in select distinct templates.signature from pgmend.function_templates() as templates loop
        execute format('drop function if exists %s', format(template.signature, detach_source.source_id));
    end loop;
end
$function$;

-- Drops the events and the dead letters of a source. Raises PM011 if captured rows are among them and are not to be discarded.
create or replace function pgmend.drop_events(source_id integer, discard_events boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    captured_rows bigint;
begin
    select count(*) into captured_rows
    from (
        select event.source_id from pgmend.careful_events as event where event.kind = 'insert_failed'
        union all
        select letter.source_id from pgmend.dead_letters as letter where letter.kind = 'insert_failed'
    ) as captured
    where captured.source_id = drop_events.source_id;
    if captured_rows > 0 and not drop_events.discard_events then
        raise exception '% captured rows would be lost', captured_rows
            using
                errcode = 'PM011',
                hint = 'Let the worker drain the outbox and look at pgmend.dead_letters, or give discard_events => true '
                    '(pgmend detach --discard-events).';
    end if;
    -- The kind is asked for again: a row may have been captured since it was counted.
    delete from pgmend.express_events as event where event.source_id = drop_events.source_id;
    delete from pgmend.careful_events as event
    where event.source_id = drop_events.source_id and (event.kind = 'user_created' or drop_events.discard_events);
    delete from pgmend.dead_letters as letter
    where letter.source_id = drop_events.source_id and (letter.kind = 'user_created' or drop_events.discard_events);
end
$function$;
