-- The sources whose sign-up function has another body than the one that pgmend makes. Takes the right to call the templates.
select source.source_id
from pgmend.profile_sources as source
cross join pgmend.function_templates() as template
inner join pg_catalog.pg_proc as capture
    on
        capture.proname = format('capture_sign_up_%s', source.source_id)
        and capture.pronamespace = (
            select space.oid from pg_catalog.pg_namespace as space
            where space.nspname = 'pgmend'
        )
where
    template.signature like 'pgmend.capture\_sign\_up\_%'
    and capture.prosrc <> split_part(
        format(
            template.definition, source.source_id, source.users_table, source.users_key,
            source.profiles_table, source.profiles_key
        ),
        '$function$', 2
    )
order by source.source_id
