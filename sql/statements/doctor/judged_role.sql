-- Whose rights the doctor judges as the worker's: those of the role that somebody named ($1); else of this connection's role,
-- where it is a worker's; else of the role of the worker that was seen last; else of pgmend_worker, where this role is only on
-- call; else of this role, which is to become the worker's. Null where there is no role of that name.
with known as (
    select
        own.rolname as own_name, own.rolsuper as is_superuser, worker.rolname as worker_group,
        coalesce(pg_has_role(own.oid, worker.oid, 'usage'), false) as may_work,
        coalesce(pg_has_role(own.oid, operator.oid, 'usage'), false) as is_on_call
    from pg_catalog.pg_roles as own
    left join pg_catalog.pg_roles as worker on worker.rolname = 'pgmend_worker'
    left join pg_catalog.pg_roles as operator on operator.rolname = 'pgmend_operator'
    where own.rolname = current_user
),

seen as (
    select role.rolname
    from pgmend.workers as present
    inner join pg_catalog.pg_roles as role on present.role_name = role.rolname
    order by present.seen_at desc
    limit 1
)

select
    case
        when $1::text is not null
            then (
                select named.rolname from pg_catalog.pg_roles as named
                where named.rolname = $1::text
            )
        when known.may_work and not known.is_superuser then known.own_name
        when seen.rolname is not null then seen.rolname
        when known.is_on_call and not known.is_superuser then known.worker_group
        else known.own_name
    end::text as judged,
    known.own_name::text as own
from known
left join seen on true
