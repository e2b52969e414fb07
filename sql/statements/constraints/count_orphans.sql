-- The text that counts the orphans of $1 ($2), rows whose key $3 ($4) does not hold. AccessShare on both tables.
select
    format(
        'select count(*) from %s as orphan where %s and not exists (select from %s as present where %s)',
        $1::text,
        string_agg(format('orphan.%I is not null', listed.referencing_column), ' and ' order by listed.place),
        $3::text,
        string_agg(
            format('present.%I = orphan.%I', listed.referenced_column, listed.referencing_column), ' and ' order by listed.place
        )
    ) as text
from unnest($2::text[], $4::text[]) with ordinality as listed (referencing_column, referenced_column, place)
