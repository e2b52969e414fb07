-- Says that a worker is awake for the next $1 seconds.
select setval('pgmend.doorbell_lease', (extract(epoch from clock_timestamp()) * 1000 + $1::float8 * 1000)::bigint)
