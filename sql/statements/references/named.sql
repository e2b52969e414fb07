-- One reference that a person names: columns ($2) of a table ($1) that are to refer to columns ($4) of another ($3), pair by
-- pair, whoever owns them, and the foreign key that stands there already, if one does. No row where a column does not exist.
with pair as (
    select
        listed.place,
        referencing.attname::text as referencing_column,
        format_type(referencing.atttypid, referencing.atttypmod) as referencing_type,
        referencing.attnotnull as is_required,
        referenced.attname::text as referenced_column,
        format_type(referenced.atttypid, referenced.atttypmod) as referenced_type,
        format('%s=%s', referencing.attnum, referenced.attnum) as said
    from unnest($2::text[], $4::text[]) with ordinality as listed (referencing_column, referenced_column, place)
    inner join pg_catalog.pg_attribute as referencing
        on
            referencing.attrelid = $1::text::regclass
            and listed.referencing_column = referencing.attname
            and not referencing.attisdropped
    inner join pg_catalog.pg_attribute as referenced
        on
            referenced.attrelid = $3::text::regclass
            and listed.referenced_column = referenced.attname
            and not referenced.attisdropped
),

wanted as (
    select
        array_agg(pair.referencing_column order by pair.place) as referencing_columns,
        array_agg(pair.referencing_type order by pair.place) as referencing_types,
        array_agg(pair.referenced_column order by pair.place) as referenced_columns,
        array_agg(pair.referenced_type order by pair.place) as referenced_types,
        array_agg(pair.said) as said,
        not bool_or(pair.is_required) as is_nullable
    from pair
    having count(*) = cardinality($2::text[])
)

select
    relation.oid::regclass::text as referencing_table,
    wanted.referencing_columns,
    wanted.referencing_types,
    $3::text::regclass::text as referenced_table,
    wanted.referenced_columns,
    wanted.referenced_types,
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
    wanted.is_nullable,
    null::text as stranger
from wanted
inner join pg_catalog.pg_class as relation on relation.oid = $1::text::regclass
left join pg_catalog.pg_constraint as foreign_key
    on
        relation.oid = foreign_key.conrelid
        and foreign_key.contype = 'f'
        and foreign_key.conparentid = 0
        and foreign_key.confrelid = $3::text::regclass
        and cardinality(foreign_key.conkey) = cardinality(wanted.said)
        and array(
            select format('%s=%s', said.referencing_number, said.referenced_number)
            from unnest(foreign_key.conkey, foreign_key.confkey) as said (referencing_number, referenced_number)
        ) <@ wanted.said
order by foreign_key.convalidated desc nulls last, foreign_key.conname asc
limit 1
