-- What a key from $1 ($2) to $3 ($4) would meet: the server, the two ends of each pair of columns and whether the key's index can
-- compare them, a unique key on the referenced columns, and what this role may not do.
with pair as (
    select
        listed.place,
        referencing.attname::text as referencing_column,
        format_type(referencing.atttypid, referencing.atttypmod) as referencing_type,
        coalesce(nullif(referencing_type.typbasetype, 0), referencing.atttypid) as referencing_base,
        referencing.attnotnull as is_required,
        referenced.attname::text as referenced_column,
        referenced.attnum as referenced_number,
        format_type(referenced.atttypid, referenced.atttypmod) as referenced_type,
        coalesce(nullif(referenced_type.typbasetype, 0), referenced.atttypid) as referenced_base
    from unnest($2::text[], $4::text[]) with ordinality as listed (referencing_column, referenced_column, place)
    inner join pg_catalog.pg_attribute as referencing
        on referencing.attrelid = $1::text::regclass and listed.referencing_column = referencing.attname
    inner join pg_catalog.pg_type as referencing_type on referencing.atttypid = referencing_type.oid
    inner join pg_catalog.pg_attribute as referenced
        on referenced.attrelid = $3::text::regclass and listed.referenced_column = referenced.attname
    inner join pg_catalog.pg_type as referenced_type on referenced.atttypid = referenced_type.oid
),

comparable as (
    select pair.place
    from pair
    where
        pair.referencing_base = pair.referenced_base
        or exists (
            select
            from pg_catalog.pg_cast as conversion
            where
                conversion.castsource = pair.referencing_base
                and conversion.casttarget = pair.referenced_base
                and conversion.castcontext = 'i'
        )
        or exists (
            select
            from pg_catalog.pg_opclass as class
            inner join pg_catalog.pg_am as method on class.opcmethod = method.oid and method.amname = 'btree'
            inner join pg_catalog.pg_amop as operation on class.opcfamily = operation.amopfamily
            where
                class.opcdefault
                and pair.referenced_base = class.opcintype
                and pair.referenced_base = operation.amoplefttype
                and pair.referencing_base = operation.amoprighttype
                and operation.amopstrategy = 3
        )
),

compared as (
    select
        string_agg(quote_ident(pair.referencing_column), ', ' order by pair.place) as column_list,
        string_agg(quote_ident(pair.referenced_column), ', ' order by pair.place) as referenced_list,
        array_agg(pair.referenced_number) as referenced_numbers,
        bool_and(has_column_privilege($3::text::regclass, pair.referenced_number, 'references')) as may_refer,
        coalesce(array_agg(pair.referencing_column) filter (where pair.is_required), '{}') as required_columns,
        coalesce(
            array_agg(
                format(
                    '%I is %s where %I is %s',
                    pair.referencing_column, pair.referencing_type, pair.referenced_column, pair.referenced_type
                )
            ) filter (where pair.place not in (select comparable.place from comparable)),
            '{}'
        ) as mismatches
    from pair
),

referencing as (
    select class.oid, class.relnamespace, format('%I.%I', space.nspname, class.relname) as name
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as space on class.relnamespace = space.oid
    where class.oid = $1::text::regclass
),

referenced as (
    select class.oid, class.relname, class.relkind, format('%I.%I', space.nspname, class.relname) as name
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as space on class.relnamespace = space.oid
    where class.oid = $3::text::regclass
),

found as (
    select referencing.name, referencing.oid from referencing
    union
    select referenced.name, referenced.oid from referenced
),

need as (
    select format('REFERENCES on %s', referenced.name) as needed, compared.may_refer as is_met
    from referenced
    cross join compared
    union all
    select format('SELECT on %s', found.name), has_table_privilege(found.oid, 'select')
    from found
    union all
    select format('BYPASSRLS, since row-level security hides rows of %s', found.name), not row_security_active(found.oid)
    from found
)

select
    current_setting('server_version_num')::integer / 10000 as server_major,
    pg_is_in_recovery() as is_standby,
    referenced.name as referenced_table,
    compared.column_list,
    compared.referenced_list,
    compared.required_columns,
    compared.mismatches,
    exists(
        select
        from pg_catalog.pg_index as rule
        where
            rule.indrelid = referenced.oid
            and rule.indisunique
            and rule.indimmediate
            and rule.indisvalid
            and rule.indpred is null
            and rule.indexprs is null
            and rule.indnkeyatts = cardinality($4::text[])
            and (rule.indkey::smallint[])[0:rule.indnkeyatts - 1] @> compared.referenced_numbers
    ) as has_unique_key,
    case
        when referenced.relkind = 'p' then format('alter table %s add unique (%s)', referenced.name, compared.referenced_list)
        else format(
            'create unique index concurrently %I on %s (%s)',
            format('%s_%s_key', referenced.relname, array_to_string($4::text[], '_')), referenced.name, compared.referenced_list
        )
    end as making_unique,
    array(
        select need.needed
        from need
        where not need.is_met
        order by need.needed
    ) as lacking,
    has_schema_privilege(referencing.relnamespace, 'create') as may_create
from referencing
cross join referenced
cross join compared
