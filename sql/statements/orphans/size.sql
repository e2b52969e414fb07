-- The text of a query that counts the rows of a table ($1).
select format('select count(*) from %s', $1::text::regclass) as query
