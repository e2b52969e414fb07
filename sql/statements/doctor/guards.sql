-- Every guard, whether its key still leads to the profiles of its source, and its triggers: those whose function of pgmend ends
-- in the guard's number, one for ensure and two for park.
select
    guard.referencing_table::text as table,
    guard.constraint_name::text as name,
    guard.mode,
    guard.replay_function,
    guard.replayed_error_type,
    guard.unknown_user_grace::text as unknown_user_grace,
    exists(
        select
        from pg_catalog.pg_constraint as key
        inner join pgmend.profile_sources as source on key.confrelid = source.profiles_table
        inner join pg_catalog.pg_attribute as referenced
            on
                source.profiles_table = referenced.attrelid
                and source.profiles_key = referenced.attname
                and referenced.attnum = any(key.confkey)
        where
            key.conrelid = guard.referencing_table
            and key.conname = guard.constraint_name
            and key.contype = 'f'
            and source.source_id = guard.source_id
    ) as key_exists,
    (
        select
            case
                when count(*) = case guard.mode when 'park' then 2 else 1 end
                    then min(fired.tgenabled::text)
            end
        from pg_catalog.pg_trigger as fired
        inner join pg_catalog.pg_proc as routine on fired.tgfoid = routine.oid
        inner join pg_catalog.pg_namespace as space on routine.pronamespace = space.oid
        where
            fired.tgrelid = guard.referencing_table
            and space.nspname = 'pgmend'
            and routine.proname ~ format('^(ensure_guarded|find_missing|park_guarded)_%s$', guard.guard_id)
    ) as trigger_enabled
from pgmend.guarded_constraints as guard
order by guard.guard_id
