-- A function by its name, with or without its arguments: its name with the schema, and with its arguments' types. Without
-- arguments, the one that takes a single argument of the given type is meant.
select
    format('%I.%I', space.nspname, routine.proname) as qualified,
    format(
        '%I.%I(%s)', space.nspname, routine.proname,
        array_to_string(array(select format_type(argument, -1) from unnest(routine.proargtypes::oid[]) as argument), ', ')
    ) as signature
from pg_catalog.pg_proc as routine
inner join pg_catalog.pg_namespace as space on routine.pronamespace = space.oid
where routine.oid = to_regprocedure(case when $1::text like '%(%' then $1 else format('%s(%s)', $1, $2::text) end)
