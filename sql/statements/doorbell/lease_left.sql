-- How many seconds the lease has left: null when all sleep, and not positive when it ran out without being cleared. Then a worker
-- died awake, or stopped, and events may lie there that rang for nobody.
select (lease.until - extract(epoch from clock_timestamp()) * 1000)::float8 / 1000
from nullif(pg_sequence_last_value('pgmend.doorbell_lease'), 0) as lease (until)
