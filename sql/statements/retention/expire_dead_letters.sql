-- Lets dead letters of sign-ups go that are older than $2 days, at most $1.
select pgmend.expire_dead_letters($1, pg_catalog.make_interval(secs => 86400.0 * $2::float8))
