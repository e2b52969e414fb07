-- The mark, as text: every transaction that has an id at this moment and may have read the old lease is below it. An xmax is only
-- one above the youngest transaction that has ended; clearing the lease took a transaction id and has just ended.
select pg_snapshot_xmax(pg_current_snapshot())::text
