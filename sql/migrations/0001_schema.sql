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
