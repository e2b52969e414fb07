-- The text that drops the index $1, which is not valid, while the table is in use.
select format('drop index concurrently %s', $1::text) as text
