-- Tries to be the only sweeper, until the transaction ends.
select pg_try_advisory_xact_lock(pg_catalog.hashtextextended('pgmend.sweep', 0))
