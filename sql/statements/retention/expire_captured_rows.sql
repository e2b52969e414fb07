-- Lets captured rows go that are older than $2 days, at most $1 of those that wait and of those that are dead letters.
select pgmend.expire_captured_rows($1, pg_catalog.make_interval(secs => 86400.0 * $2::float8))
