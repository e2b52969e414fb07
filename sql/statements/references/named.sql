-- One reference that a person names: a column ($2) of a table ($1) that is to refer to a column ($4) of another ($3), and the
-- foreign key that stands there already, if one does. No row where a column does not exist.
select
    relation.oid::regclass::text as referencing_table,
    array[referencing.attname::text] as referencing_columns,
    array[format_type(referencing.atttypid, referencing.atttypmod)] as referencing_types,
    referenced.attrelid::regclass::text as referenced_table,
    array[referenced.attname::text] as referenced_columns,
    array[format_type(referenced.atttypid, referenced.atttypmod)] as referenced_types,
    foreign_key.conname::text as constraint_name,
    coalesce(foreign_key.convalidated, false) as is_validated,
    case foreign_key.confdeltype
        when 'c' then 'cascade'
        when 'n' then 'set null'
        when 'd' then 'set default'
        when 'r' then 'restrict'
        else 'no action'
    end as on_delete,
    coalesce(foreign_key.condeferrable, false) as is_deferrable,
    relation.relkind = 'p' as is_partitioned,
    not referencing.attnotnull as is_nullable,
    relation.reltuples::bigint as estimated_rows
from pg_catalog.pg_class as relation
inner join pg_catalog.pg_attribute as referencing
    on relation.oid = referencing.attrelid and referencing.attname = $2 and not referencing.attisdropped
inner join pg_catalog.pg_attribute as referenced
    on referenced.attrelid = $3::text::regclass and referenced.attname = $4 and not referenced.attisdropped
left join pg_catalog.pg_constraint as foreign_key
    on
        relation.oid = foreign_key.conrelid
        and foreign_key.contype = 'f'
        and foreign_key.conparentid = 0
        and referenced.attrelid = foreign_key.confrelid
        and foreign_key.conkey = array[referencing.attnum]
        and foreign_key.confkey = array[referenced.attnum]
where relation.oid = $1::text::regclass
order by foreign_key.convalidated desc nulls last, foreign_key.conname asc
limit 1
