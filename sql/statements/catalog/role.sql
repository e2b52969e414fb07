-- A role by its name, as it is written in SQL; nothing if there is no such role.
select quote_ident(role.rolname)
from pg_catalog.pg_roles as role
where role.rolname = $1
