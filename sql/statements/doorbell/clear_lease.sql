-- Says that this worker is no longer awake, and waits for who relied on its word: writers ring again. The mark is taken by the
-- next statement, whose snapshot is younger than this.
select pg_catalog.setval('pgmend.doorbell_lease', pg_backend_pid())
