-- Deletes audit entries of our types that are older than $2 days, at most $1, the oldest.
select pgmend.expire_audit_entries($1, pg_catalog.make_interval(secs => 86400.0 * $2::float8))
