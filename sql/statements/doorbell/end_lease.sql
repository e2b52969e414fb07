-- Says that all sleep: everybody who relied on a lease was waited for. Unless another worker has spoken since, whose mark is
-- younger.
select pg_catalog.setval('pgmend.doorbell_lease', 0)
where pg_catalog.pg_sequence_last_value('pgmend.doorbell_lease') = pg_backend_pid()
