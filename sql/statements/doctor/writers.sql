-- The roles that have captured rows, or may capture them, and whether the worker's role ($1; null: that of this connection) could
-- replay for them: as the role itself, or through a function of pgmend that belongs to it.
with judged as (
    select worker.oid, worker.rolname
    from pg_catalog.pg_roles as worker
    where worker.rolname = coalesce($1::text, current_user)
),

waiting as (
    select captured.writer_role, count(*) as count
    from (
        select event.writer_role from pgmend.careful_events as event
        union all
        select letter.writer_role from pgmend.dead_letters as letter
    ) as captured
    where captured.writer_role is not null
    group by captured.writer_role
),

entitled as (
    select distinct role.rolname as writer_role
    from pg_catalog.pg_proc as capture
    cross join lateral aclexplode(capture.proacl) as granted
    inner join pg_catalog.pg_roles as role on granted.grantee = role.oid
    where
        capture.pronamespace = (
            select space.oid from pg_catalog.pg_namespace as space
            where space.nspname = 'pgmend'
        )
        and capture.proname in ('insert_or_park', 'report_failed_insert')
        and granted.grantee <> capture.proowner
)

select
    quote_ident(coalesce(waiting.writer_role, entitled.writer_role)) as role,
    role.oid is not null as exists,
    coalesce(waiting.count, 0) as waiting,
    role.oid is not null and (
        role.rolname = judged.rolname
        or exists (
            select
            from pg_catalog.pg_proc as replay
            where
                replay.pronamespace = (
                    select space.oid from pg_catalog.pg_namespace as space
                    where space.nspname = 'pgmend'
                )
                and replay.proname like 'replay\_as\_%'
                and replay.prosecdef
                and replay.proowner = role.oid
                and has_function_privilege(judged.oid, replay.oid, 'execute')
        )
    ) as is_replayable
from waiting
full join entitled on waiting.writer_role = entitled.writer_role
left join pg_catalog.pg_roles as role on coalesce(waiting.writer_role, entitled.writer_role) = role.rolname
cross join judged
order by role
