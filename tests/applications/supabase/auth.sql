-- What a Supabase project's database holds before anybody has built anything on it: the schema auth, and the default privileges
-- that open whatever project_postgres makes in the schema public to the roles of the HTTP API.
create schema auth authorization supabase_auth_admin;

create schema extensions authorization project_postgres;

set role supabase_auth_admin;

create table auth.users (
    instance_id uuid,
    id uuid not null,
    aud varchar(255),
    role varchar(255),
    email varchar(255),
    encrypted_password varchar(255),
    email_confirmed_at timestamptz,
    raw_app_meta_data jsonb,
    raw_user_meta_data jsonb,
    is_super_admin boolean,
    created_at timestamptz,
    updated_at timestamptz,
    phone text default null,
    confirmed_at timestamptz generated always as (email_confirmed_at) stored,
    banned_until timestamptz,
    is_sso_user boolean not null default false,
    deleted_at timestamptz,
    is_anonymous boolean not null default false,
    constraint users_pkey primary key (id),
    constraint users_phone_key unique (phone)
);

create unique index users_email_partial_key on auth.users (email) where not is_sso_user;

alter table auth.users enable row level security;

create function auth.uid()
returns uuid
language sql
stable
as $$
select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
)::uuid
$$;

create function auth.role()
returns text
language sql
stable
as $$
select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
)
$$;

grant usage on schema auth to anon, authenticated, service_role, project_postgres;

grant all on auth.users to project_postgres;

reset role;

alter schema public owner to project_postgres;

revoke create on schema public from public;

grant usage on schema public to anon, authenticated, service_role;

alter default privileges for role project_postgres in schema public
grant all on tables to anon, authenticated, service_role;

alter default privileges for role project_postgres in schema public
grant all on functions to anon, authenticated, service_role;

alter default privileges for role project_postgres in schema public
grant all on sequences to anon, authenticated, service_role;
