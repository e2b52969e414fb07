-- What the owner of each source's functions lacks on its two tables, and which of them hides rows from it. `for share` and
-- `for no key update` take UPDATE on any column. A policy that says true to the owner, or to everybody, hides nothing.
select
    source.source_id,
    quote_ident(owner.rolname) as owner,
    array(
        select format('%s on %s', wanted.privilege, wanted.relation)
        from (
            values
            (source.users_table, 'select', has_any_column_privilege(owner.oid, source.users_table, 'select')),
            (source.users_table, 'update', has_any_column_privilege(owner.oid, source.users_table, 'update')),
            (source.profiles_table, 'select', has_any_column_privilege(owner.oid, source.profiles_table, 'select')),
            (
                source.profiles_table, 'insert',
                source.recipe_function is not null
                or has_any_column_privilege(owner.oid, source.profiles_table, 'insert')
            )
        ) as wanted (relation, privilege, is_held)
        where not wanted.is_held
    ) as lacking,
    array(
        select relation.oid::regclass::text
        from pg_catalog.pg_class as relation
        where
            relation.oid in (source.users_table, source.profiles_table)
            and relation.relrowsecurity
            and not owner.rolsuper
            and not owner.rolbypassrls
            and not (pg_has_role(owner.oid, relation.relowner, 'usage') and not relation.relforcerowsecurity)
            and not exists (
                select
                from pg_catalog.pg_policy as policy
                where
                    policy.polrelid = relation.oid
                    and policy.polcmd = '*'
                    and policy.polpermissive
                    and pg_get_expr(policy.polqual, policy.polrelid) = 'true'
                    and (0 = any(policy.polroles) or owner.oid = any(policy.polroles))
            )
        order by relation.oid::regclass::text
    ) as hidden_tables
from pgmend.profile_sources as source
inner join pg_catalog.pg_class as users on source.users_table = users.oid
inner join pg_catalog.pg_class as profiles on source.profiles_table = profiles.oid
inner join pg_catalog.pg_proc as heal
    on
        heal.proname = format('heal_one_%s', source.source_id)
        and heal.pronamespace = (
            select space.oid from pg_catalog.pg_namespace as space
            where space.nspname = 'pgmend'
        )
inner join pg_catalog.pg_roles as owner on heal.proowner = owner.oid
order by source.source_id
