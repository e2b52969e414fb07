-- For an administrator, before `pgmend migrate`: the roles that pgmend needs, and no more rights than they need.
-- Change the names first:
--   shop           the database
--   shop_owner     owns the application's tables, and is to install pgmend; no superuser
--   shop_worker    the login that the worker uses
--   shop_operator  the login of whoever is on call: docs/runbook.md says what takes it, and what takes another
--   shop_writer    a role of the application that writes rows which refer to profiles; one line for each
--   accounts, accounts.users   the schema and table of the users, where they belong to another role

-- What the worker may do; `pgmend migrate` grants it to this role. An installer who may create roles makes it by himself.
create role pgmend_worker nologin;

-- The worker logs in with this and is a member of nothing else. Give it a password.
create role shop_worker login in role pgmend_worker;

-- Whoever is on call reads everything of pgmend, captured rows included, sends dead letters back or lets them go, and stops a
-- source or lets it go on; the application's tables stay closed to them, but for how many rows of a foreign key lead nowhere.
-- To try a dead letter (--dry-run) takes pgmend_worker.
create role pgmend_operator nologin;
create role shop_operator login in role pgmend_operator;

-- The installer makes the schema pgmend, and the audit table in the schema public.
grant create on database shop to shop_owner;
grant usage, create on schema public to shop_owner;

-- Users of another owner: the sign-up trigger is placed on them, they are read, and locked while a profile is made (`for share`
-- takes the right to update; nothing is written). Where row-level security holds, the installer also needs to see all rows.
grant usage on schema accounts to shop_owner;
grant select, update, trigger on accounts.users to shop_owner;

-- Captured rows are replayed in a function that belongs to their writer: the installer has to be able to become that role, once.
grant shop_writer to shop_owner;
