-- What of the schema pgmend is open to public, anon or authenticated, other than what pgmend.open_captures gives: the functions
-- that its source names, and for who may call one of those the use of the schema.
with outsiders (grantee, name) as (
    select 0::oid, 'public'
    union all
    select role.oid, role.rolname::text
    from pg_catalog.pg_roles as role
    where role.rolname in ('anon', 'authenticated')
),

space as (
    select namespace.oid, namespace.nspacl, namespace.nspowner
    from pg_catalog.pg_namespace as namespace
    where namespace.nspname = 'pgmend'
),

routines as (
    select
        routine.oid, routine.proowner,
        coalesce(routine.proacl, acldefault('f', routine.proowner)) as acl,
        strpos(captures.prosrc, format('pgmend.%s(', routine.proname)) > 0 as is_capture
    from pg_catalog.pg_proc as routine
    inner join space on routine.pronamespace = space.oid
    left join pg_catalog.pg_proc as captures on space.oid = captures.pronamespace and captures.proname = 'open_captures'
),

held (target, privilege, grantee, owner, is_allowed) as (
    select
        'schema pgmend', granted.privilege_type, granted.grantee, space.nspowner,
        granted.privilege_type = 'USAGE' and granted.grantee <> 0 and exists (
            select
            from routines
            cross join lateral aclexplode(routines.acl) as capture_granted
            where routines.is_capture and capture_granted.grantee = granted.grantee
        )
    from space
    cross join lateral aclexplode(coalesce(space.nspacl, acldefault('n', space.nspowner))) as granted
    union all
    select
        case relation.relkind when 'S' then 'sequence ' else 'table ' end || relation.oid::regclass,
        granted.privilege_type, granted.grantee, relation.relowner, false
    from pg_catalog.pg_class as relation
    inner join space on relation.relnamespace = space.oid
    cross join lateral aclexplode(relation.relacl) as granted
    where relation.relkind in ('r', 'p', 'v', 'S')
    union all
    select
        'function ' || routines.oid::regprocedure,
        granted.privilege_type, granted.grantee, routines.proowner, routines.is_capture and granted.grantee <> 0
    from routines
    cross join lateral aclexplode(routines.acl) as granted
)

select held.target, lower(held.privilege) as privilege, outsiders.name as grantee
from held
inner join outsiders on held.grantee = outsiders.grantee
where not held.is_allowed and held.grantee <> held.owner
order by held.target, privilege, grantee
