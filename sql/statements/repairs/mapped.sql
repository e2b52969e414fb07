-- The text of a query that counts the orphans of a selection ($1) that have a reason and one of some keys (its own $1 and $2).
select
    format(
        'select count(*) as orphans, count(distinct found.key) as keys from (%s) as found '
        'where found.reason = $1 and found.key = any($2::pg_catalog.text[])',
        $1::text
    ) as query
