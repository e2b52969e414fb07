-- Attaches a users table and its profiles table: stores the configuration, makes the functions, tries each of them on no user
-- at all (a recipe that does not parse is refused here), and only then puts the trigger on the users table
-- (ShareRowExclusive lock on it, for an instant). Safe to call again: the recipe is replaced.
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
    new_source_id integer;
    missing_column text;
    ambiguous_key text;
begin
    select format('%s.%s', wanted.relation, wanted.column_name) into missing_column
    from (
        values (attach_source.users_table, attach_source.users_key), (attach_source.profiles_table, attach_source.profiles_key)
        union all
        select attach_source.profiles_table, given::name from jsonb_object_keys(attach_source.recipe) as given
    ) as wanted (relation, column_name)
    where not exists (
        select from pg_attribute as attribute
        where attribute.attrelid = wanted.relation and attribute.attname = wanted.column_name and not attribute.attisdropped
    );
    if missing_column is not null then
        raise exception 'there is no column %', missing_column
            using errcode = 'undefined_column', hint = 'Name the key columns (users_key => …, profiles_key => …), and in the recipe columns of the profiles table.';
    end if;

    select format('%s.%I', wanted.relation, wanted.key_column) into ambiguous_key
    from (
        values (attach_source.users_table, attach_source.users_key), (attach_source.profiles_table, attach_source.profiles_key)
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

    -- Triggers, defaults and constraints of the profiles table run with the installer's rights whenever a profile is made.
    if not exists (
        select from pg_class as relation
        where relation.oid = attach_source.profiles_table and pg_has_role(relation.relowner, current_user, 'member')
    ) then
        raise exception 'the owner of % is not to be trusted with the rights of %', attach_source.profiles_table, current_user
            using
                errcode = 'insufficient_privilege',
                hint = 'Install pgmend as the role that owns the application''s tables.';
    end if;

    if attach_source.recipe_function is not null then
        if attach_source.recipe <> '{}' then
            raise exception 'there are two recipes, columns and a function'
                using errcode = 'invalid_parameter_value', hint = 'Give recipe => … or recipe_function => …, not both.';
        end if;
        if not exists (
            select
            from pg_proc as routine
            inner join pg_attribute as attribute
                on attribute.attrelid = attach_source.users_table and attribute.attname = attach_source.users_key
            where routine.oid = attach_source.recipe_function
                and routine.prokind = 'f' and routine.pronargs = 1 and routine.proargtypes[0] = attribute.atttypid
        ) then
            raise exception '% does not take the key of a user alone', attach_source.recipe_function
                using
                    errcode = 'invalid_function_definition',
                    hint = 'A recipe function has one argument, of the type of the users table''s key.';
        end if;
    end if;

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

    execute format(
        'create or replace trigger pgmend_capture_sign_up_%1$s after insert on %2$s '
        'for each row execute function pgmend.capture_sign_up_%1$s()',
        new_source_id, attach_source.users_table
    );
    return new_source_id;
end
$function$;
