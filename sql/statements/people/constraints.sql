-- The constraints of a table ($1), the primary key first. NOT NULL, a constraint since Postgres 18, is said with the columns.
select
    entry.conname::text as name,
    pg_get_constraintdef(entry.oid) as definition
from pg_catalog.pg_constraint as entry
where entry.conrelid = $1::text::regclass and entry.contype in ('p', 'u', 'f', 'c', 'x')
order by position(entry.contype::text in 'pufcx'), entry.conname
