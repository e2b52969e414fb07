-- Attaches a users table and its profiles table: stores the configuration, makes the functions, tries each of them on no user
-- at all (a recipe that does not parse is refused here), and only then puts the trigger on the users table
-- (ShareRowExclusive lock on it, for an instant). Safe to call again: the recipe is replaced.
create or replace function pgmend.attach_source(
    users_table regclass,
    profiles_table regclass,
    recipe jsonb,
    users_key name default 'id',
    profiles_key name default 'id',
    eligible_when text default 'true',
    erased_when text default 'false'
)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    new_source_id integer;
    missing_column text;
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

    insert into pgmend.profile_sources as source
        (users_table, users_key, profiles_table, profiles_key, recipe, eligible_when, erased_when)
    values (
        attach_source.users_table, attach_source.users_key, attach_source.profiles_table, attach_source.profiles_key,
        attach_source.recipe, attach_source.eligible_when, attach_source.erased_when
    )
    on conflict on constraint profile_sources_pair_is_attached_once do update set
        users_key = excluded.users_key,
        profiles_key = excluded.profiles_key,
        recipe = excluded.recipe,
        eligible_when = excluded.eligible_when,
        erased_when = excluded.erased_when
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
