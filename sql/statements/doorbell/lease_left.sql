-- How many seconds the lease has left: null when all sleep, or a worker waits for who relied on it; not positive when it ran out,
-- or who waited is gone. Then a worker died, or stopped, and events may lie there that rang for nobody.
select
    case
        when lease.said = 0 then null
        when lease.said > 1000000000000 then lease.said::numeric / 1000.0 - extract(epoch from clock_timestamp())
        when lease.said <> all(array(select activity.pid from pg_stat_activity as activity)) then 0
    end::float8
from coalesce(pg_catalog.pg_sequence_last_value('pgmend.doorbell_lease'), 0) as lease (said)
