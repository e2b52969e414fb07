-- Says that a worker is awake for the next $1 seconds.
select
    pg_catalog.setval(
        'pgmend.doorbell_lease', (1000::float8 * (extract(epoch from clock_timestamp())::float8 + $1::float8))::bigint
    )
