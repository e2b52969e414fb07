-- The first transaction id that was not given out yet, as text.
select pg_snapshot_xmax(pg_current_snapshot())::text
