-- The roles of a Supabase project, once for a cluster. The superuser is whoever runs this; project_postgres stands for the role that
-- Supabase calls postgres, with which people work: it is no superuser and does not own the users.
create role anon nologin noinherit;

create role authenticated nologin noinherit;

create role service_role nologin noinherit bypassrls;

create role authenticator login noinherit in role anon, authenticated, service_role;

create role supabase_auth_admin login noinherit createrole;

create role project_postgres login createrole createdb bypassrls replication in role anon, authenticated, service_role;

-- A worker's login; its only membership, pgmend_worker, is granted when pgmend is installed.
create role project_worker login;

alter role anon set statement_timeout = '3s';

alter role authenticated set statement_timeout = '8s';

alter role authenticator set statement_timeout = '8s';

alter role supabase_auth_admin set search_path = auth;
