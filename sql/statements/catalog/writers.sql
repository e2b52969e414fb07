-- The roles that were granted INSERT on the named tables, apart from the calling role and the server's own. `public` is
-- everybody.
with granted as (
    select relation.oid, named.table_name, each_grant.grantee
    from unnest($1::text[]) as named (table_name)
    inner join pg_catalog.pg_class as relation on relation.oid = named.table_name::regclass
    cross join lateral (
        select whole.grantee
        from aclexplode(coalesce(relation.relacl, acldefault('r', relation.relowner))) as whole
        where whole.privilege_type = 'INSERT'
        union
        select part.grantee
        from pg_catalog.pg_attribute as attribute
        cross join lateral aclexplode(attribute.attacl) as part
        where attribute.attrelid = relation.oid and part.privilege_type = 'INSERT'
    ) as each_grant
)

select
    coalesce(quote_ident(role.rolname), 'public') as quoted,
    role.rolname is null as is_everybody,
    array_agg(distinct granted.table_name order by granted.table_name) as tables
from granted
left join pg_catalog.pg_roles as role on granted.grantee = role.oid
where
    granted.grantee = 0
    or (role.rolname <> current_user and not role.rolsuper and role.rolname !~ '^pg_')
group by role.rolname
order by role.rolname nulls first
