-- The text of a query that reads no row: it only sees whether the server accepts eligible_when ($2) and erased_when ($3) of a
-- users table ($1).
select
    format(
        'select from %1$s as users where (%2$s) and not coalesce((%3$s), false) limit 0', $1::text::regclass, $2::text, $3::text
    ) as query
