-- Every source as it was attached, and what the catalog says of it now.
-- The names of the functions that belong to a source are read from the source of pgmend.function_templates. A required column is
-- one that nothing fills: no recipe, no default, no BEFORE trigger that could.
with space as (
    select namespace.oid
    from pg_catalog.pg_namespace as namespace
    where namespace.nspname = 'pgmend'
),

templates as (
    select distinct found.parts[1] as stem
    from pg_catalog.pg_proc as routine
    inner join space on routine.pronamespace = space.oid
    cross join lateral regexp_matches(routine.prosrc, '''pgmend\.(\w+)_%1\$s\(', 'g') as found (parts)
    where routine.proname = 'function_templates'
)

select
    source.source_id,
    users.oid::regclass::text as users_table,
    source.users_key::text as users_key,
    profiles.oid::regclass::text as profiles_table,
    source.profiles_key::text as profiles_key,
    source.recipe::text as recipe,
    source.recipe_function,
    source.eligible_when,
    source.erased_when,
    to_char(source.paused_at, 'YYYY-MM-DD HH24:MI:SSOF') as paused_at,
    source.paused_because,
    array(
        select format('%s.%I', wanted.relation, wanted.column_name)
        from (
            values (source.users_table, source.users_key::text), (source.profiles_table, source.profiles_key::text)
            union all
            select source.profiles_table, given.column_name
            from jsonb_object_keys(source.recipe) as given (column_name)
        ) as wanted (relation, column_name)
        where not exists (
            select
            from pg_catalog.pg_attribute as attribute
            where
                attribute.attrelid = wanted.relation
                and attribute.attname = wanted.column_name
                and not attribute.attisdropped
        )
    ) as columns_gone,
    array(
        select attribute.attname::text
        from pg_catalog.pg_attribute as attribute
        where
            attribute.attrelid = source.profiles_table
            and attribute.attnum > 0
            and not attribute.attisdropped
            and attribute.attnotnull
            and not attribute.atthasdef
            and attribute.attidentity = ''
            and attribute.attname <> source.profiles_key
            and not source.recipe ? attribute.attname::text
            and source.recipe_function is null
            and not exists (
                select
                from pg_catalog.pg_trigger as filling
                where
                    filling.tgrelid = source.profiles_table
                    and filling.tgtype & 7 = 7
                    and filling.tgenabled in ('O', 'A')
            )
        order by attribute.attnum
    ) as required_columns,
    array(
        select format('%s_%s', templates.stem, source.source_id)
        from templates
        where
            not exists (
                select
                from pg_catalog.pg_proc as made
                where
                    made.pronamespace = (select space.oid from space)
                    and made.proname = format('%s_%s', templates.stem, source.source_id)
            )
        order by templates.stem
    ) as functions_missing,
    format_type(key.atttypid, -1) as key_type,
    strpos(hold.prosrc, format('user_key::%s', format_type(key.atttypid, -1))) = 0 as key_type_changed,
    sign_up.tgenabled::text as trigger_enabled,
    format(
        'it calls %s %s', sign_up.tgfoid::regprocedure,
        case
            when sign_up.tgtype <> 5 then 'and not after the insert of each row'
            when sign_up.tgqual is not null then 'and only under a condition'
        end
    ) as trigger_calls,
    sign_up.tgfoid = capture.oid and sign_up.tgtype = 5 and sign_up.tgqual is null as trigger_is_ours,
    capture.prosecdef as function_is_definer
from pgmend.profile_sources as source
cross join space
left join pg_catalog.pg_class as users on source.users_table = users.oid
left join pg_catalog.pg_class as profiles on source.profiles_table = profiles.oid
left join pg_catalog.pg_attribute as key
    on source.users_table = key.attrelid and source.users_key = key.attname and not key.attisdropped
left join pg_catalog.pg_proc as hold
    on space.oid = hold.pronamespace and hold.proname = format('hold_%s', source.source_id)
left join pg_catalog.pg_proc as capture
    on space.oid = capture.pronamespace and capture.proname = format('capture_sign_up_%s', source.source_id)
left join pg_catalog.pg_trigger as sign_up
    on source.users_table = sign_up.tgrelid and sign_up.tgname = format('pgmend_capture_sign_up_%s', source.source_id)
order by source.source_id
