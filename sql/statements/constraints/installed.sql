-- Whether the schema pgmend is here and this role may look at what is attached.
select
    coalesce(has_schema_privilege(space.oid, 'usage') and has_table_privilege(sources.oid, 'select'), false) as installed
from (values ('pgmend')) as wanted (name)
left join pg_catalog.pg_namespace as space on wanted.name = space.nspname
left join pg_catalog.pg_class as sources on space.oid = sources.relnamespace and sources.relname = 'profile_sources'
