-- The schema that holds everything of pgmend except the audit table, and the record of what was applied to it.
-- Never expose it to an HTTP data API.
create schema if not exists pgmend;

revoke all on schema pgmend from public;

create table if not exists pgmend.migrations (
    version integer not null,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    applied_by text not null default session_user,
    constraint migrations_pkey primary key (version)
);

-- Takes a function that was just made from everybody but its owner: from public, and from whomever default privileges that hold
-- in every schema have given it to.
create or replace function pgmend.close_function(signature text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    opened_to name;
begin
    execute format('revoke all on function %s from public', signature);
    for opened_to in
        select role.rolname
        from pg_proc as routine
        cross join lateral aclexplode(routine.proacl) as granted
        inner join pg_roles as role on role.oid = granted.grantee
        where routine.oid = signature::regprocedure and granted.grantee <> routine.proowner
    loop
        execute format('revoke all on function %s from %I', signature, opened_to);
    end loop;
end
$function$;
