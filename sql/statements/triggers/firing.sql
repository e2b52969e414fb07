-- The application's own triggers that an insert into a table fires: the table $2, or (null) the profiles table of source $1.
select
    fired.tgrelid::regclass::text as table,
    quote_ident(fired.tgname) as name,
    fired.tgfoid::regprocedure::text as function
from pg_catalog.pg_trigger as fired
inner join pg_catalog.pg_proc as routine on fired.tgfoid = routine.oid
where
    fired.tgrelid = coalesce(
        to_regclass($2::text),
        (
            select source.profiles_table
            from pgmend.profile_sources as source
            where source.source_id = $1::integer and $2::text is null
        )
    )
    and not fired.tgisinternal
    and fired.tgtype & 4 = 4
    and fired.tgenabled in ('O', 'A')
    and routine.pronamespace <> 'pgmend'::regnamespace
order by fired.tgname
