-- The guards of every source, each table as it is called now.
select
    guard.source_id,
    coalesce(format('%I.%I', space.nspname, relation.relname), guard.referencing_table::text) as referencing_table,
    guard.constraint_name::text as constraint_name,
    guard.mode,
    guard.replay_function,
    guard.replayed_error_type,
    guard.unknown_user_grace::text as unknown_user_grace
from pgmend.guarded_constraints as guard
left join pg_catalog.pg_class as relation on guard.referencing_table = relation.oid
left join pg_catalog.pg_namespace as space on relation.relnamespace = space.oid
order by guard.guard_id
