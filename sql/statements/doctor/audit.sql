-- The table behind the view pgmend.audit_entries: whether the worker's role ($1; null: that of this connection) may write there,
-- and who of the outsiders may read.
select distinct
    target.oid::regclass::text as table,
    quote_ident(judged.rolname) as role,
    has_table_privilege(judged.oid, view.oid, 'insert') as may_insert,
    quote_ident(pg_get_userbyid(view.relowner)) as owner,
    has_table_privilege(view.relowner, target.oid, 'insert') as owner_may_insert,
    target.relrowsecurity as hides_rows,
    array(
        select outsider.name
        from unnest(array['public', 'anon', 'authenticated']) as outsider (name)
        where
            case
                when outsider.name = 'public' or to_regrole(outsider.name) is not null
                    then has_any_column_privilege(outsider.name::name, target.oid, 'select')
            end
    ) as readers
from pg_catalog.pg_class as view
inner join pg_catalog.pg_namespace as space on view.relnamespace = space.oid
inner join pg_catalog.pg_rewrite as rule on view.oid = rule.ev_class
inner join pg_catalog.pg_depend as dependency
    on rule.oid = dependency.objid and dependency.classid = 'pg_catalog.pg_rewrite'::regclass
inner join pg_catalog.pg_class as target
    on dependency.refobjid = target.oid and dependency.refclassid = 'pg_catalog.pg_class'::regclass
inner join pg_catalog.pg_roles as judged on judged.rolname = coalesce($1::text, current_user)
where space.nspname = 'pgmend' and view.relname = 'audit_entries' and target.oid <> view.oid
