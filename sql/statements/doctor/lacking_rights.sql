-- What the role pgmend_worker holds and the role $1 (null: that of this connection) does not: "select on table pgmend.outbox".
with judged as (
    select role.oid
    from pg_catalog.pg_roles as role
    where role.rolname = coalesce($1::text, current_user)
),

worker as (
    select role.oid
    from pg_catalog.pg_roles as role
    where role.rolname = 'pgmend_worker'
),

space as (
    select namespace.oid, namespace.nspacl
    from pg_catalog.pg_namespace as namespace
    where namespace.nspname = 'pgmend'
),

needed (privilege, target, is_held) as (
    select granted.privilege_type, 'schema pgmend', has_schema_privilege(judged.oid, space.oid, granted.privilege_type)
    from space
    cross join lateral aclexplode(space.nspacl) as granted
    inner join worker on granted.grantee = worker.oid
    cross join judged
    union all
    select
        granted.privilege_type,
        case relation.relkind when 'S' then 'sequence ' else 'table ' end || relation.oid::regclass,
        case relation.relkind
            when 'S' then has_sequence_privilege(judged.oid, relation.oid, granted.privilege_type)
            else has_table_privilege(judged.oid, relation.oid, granted.privilege_type)
        end
    from pg_catalog.pg_class as relation
    inner join space on relation.relnamespace = space.oid
    cross join lateral aclexplode(relation.relacl) as granted
    inner join worker on granted.grantee = worker.oid
    cross join judged
    union all
    select
        granted.privilege_type,
        'function ' || routine.oid::regprocedure,
        has_function_privilege(judged.oid, routine.oid, granted.privilege_type)
    from pg_catalog.pg_proc as routine
    inner join space on routine.pronamespace = space.oid
    cross join lateral aclexplode(routine.proacl) as granted
    inner join worker on granted.grantee = worker.oid
    cross join judged
)

select format('%s on %s', lower(needed.privilege), needed.target) as lacking
from needed
where not needed.is_held
order by lacking
