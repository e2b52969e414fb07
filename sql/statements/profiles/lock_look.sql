-- Tries to be the only one who looks whether the sources work, until the transaction ends. A sweep is held up by none.
select pg_try_advisory_xact_lock(pg_catalog.hashtextextended('pgmend.look', 0))
