-- Leaves the lease as one that ran out: writers ring again, and the next heartbeat of another worker looks at once.
select setval('pgmend.doorbell_lease', 1)
