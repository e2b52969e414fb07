-- The tables that a repair of these ($1) reads beside them, since they refer to them, and so on, whose owner is nobody whose code
-- may run with the rights of this role: no superuser, no member of it, and no owner of these or of those that they refer to ($2).
with recursive touched (relation) as (
    select given.name::regclass::oid from unnest($1::text[]) as given (name)
    union
    select foreign_key.conrelid
    from touched
    inner join pg_catalog.pg_constraint as foreign_key on touched.relation = foreign_key.confrelid and foreign_key.contype = 'f'
),

trusted as (
    select relation.relowner
    from unnest($1::text[] || $2::text[]) as given (name)
    inner join pg_catalog.pg_class as relation on given.name::regclass = relation.oid
)

select format('%s of %s', touched.relation::regclass, owner.rolname) as stranger
from touched
inner join pg_catalog.pg_class as relation on touched.relation = relation.oid
inner join pg_catalog.pg_roles as owner on relation.relowner = owner.oid
where
    not owner.rolsuper
    and not pg_has_role(relation.relowner, current_user, 'member')
    and relation.relowner not in (select trusted.relowner from trusted)
order by stranger
