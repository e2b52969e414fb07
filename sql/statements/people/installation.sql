-- What this role may read of pgmend: the profile sources, and the audit of who was there once. Nothing of it has to be installed.
-- Its relations are found in the catalog: to_regclass raises where this role may not enter the schema.
with relation as (
    select class.oid, class.relname
    from pg_catalog.pg_class as class
    where class.relnamespace = to_regnamespace('pgmend')
),

seen as (
    select
        (
            select relation.oid from relation
            where relation.relname = 'profile_sources'
        ) as sources,
        (
            select relation.oid from relation
            where relation.relname = 'audit_entries'
        ) as entries,
        coalesce(has_schema_privilege(to_regnamespace('pgmend')::oid, 'usage'), false) as may_enter
)

select
    seen.may_enter and coalesce(has_table_privilege(seen.sources, 'select'), false) as has_sources,
    seen.may_enter and coalesce(has_table_privilege(seen.entries, 'select'), false) as has_audit,
    coalesce(
        array(
            select distinct format('%I.%I', space.nspname, target.relname)
            from pg_catalog.pg_rewrite as rule
            inner join pg_catalog.pg_depend as dependency
                on rule.oid = dependency.objid and dependency.classid = 'pg_catalog.pg_rewrite'::regclass
            inner join pg_catalog.pg_class as target
                on dependency.refobjid = target.oid and dependency.refclassid = 'pg_catalog.pg_class'::regclass
            inner join pg_catalog.pg_namespace as space on target.relnamespace = space.oid
            where rule.ev_class = seen.entries and target.oid <> seen.entries
        ),
        '{}'
    ) as audit_tables
from seen
