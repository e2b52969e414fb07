-- The application's own triggers that an insert of a user or of a profile fires, with what their functions say of themselves.
select distinct
    side.place,
    fired.tgrelid::regclass::text as table,
    quote_ident(fired.tgname) as name,
    fired.tgenabled::text as enabled,
    case when fired.tgtype & 2 = 2 then 'before' when fired.tgtype & 64 = 64 then 'instead of' else 'after' end as timing,
    routine.oid::regprocedure::text as function,
    quote_ident(space.nspname) as function_schema,
    routine.prosecdef as is_definer,
    (
        select split_part(setting, '=', 2)
        from unnest(routine.proconfig) as setting
        where setting like 'search\_path=%'
    ) as search_path,
    language.lanname in ('plpgsql', 'sql') as has_body,
    routine.prosrc as body,
    strpos(lower(routine.prosrc), lower(profiles.relname)) > 0 as makes_profiles
from pgmend.profile_sources as source
inner join pg_catalog.pg_class as profiles on source.profiles_table = profiles.oid
cross join
    lateral (
        values ('users', source.users_table), ('profiles', source.profiles_table)
    ) as side (place, relation)
inner join pg_catalog.pg_trigger as fired on side.relation = fired.tgrelid
inner join pg_catalog.pg_proc as routine on fired.tgfoid = routine.oid
inner join pg_catalog.pg_namespace as space on routine.pronamespace = space.oid
inner join pg_catalog.pg_language as language on routine.prolang = language.oid
where not fired.tgisinternal and fired.tgtype & 4 = 4 and space.nspname <> 'pgmend'
order by 1 desc, 2, 3
