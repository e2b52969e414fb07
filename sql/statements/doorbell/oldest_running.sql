-- The oldest transaction id that still runs, as text.
select pg_snapshot_xmin(pg_current_snapshot())::text
