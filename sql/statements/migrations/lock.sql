-- Tries to be the only one who migrates, until the transaction ends. Polled: a blocking advisory lock can deadlock with a
-- concurrent index build elsewhere.
select pg_try_advisory_xact_lock(pg_catalog.hashtextextended('pgmend.migrations', 0))
