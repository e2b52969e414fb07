-- Tries to be the only one who prunes, until the transaction ends.
select pg_try_advisory_xact_lock(pg_catalog.hashtextextended('pgmend.retention', 0))
