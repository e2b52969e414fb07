-- The text of a query that reads no row: it only sees whether the server accepts eligible_when ($2) and erased_when ($3) of a
-- users table ($1).
select
    format(
        'select (%2$s)::boolean, (%3$s)::boolean from %1$s as users limit 0', $1::text::regclass, $2::text, $3::text
    ) as query
