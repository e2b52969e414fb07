-- Whether a lease ran out without being cleared: a worker died awake, and events may lie there that rang for nobody.
select lease.until between 1 and (extract(epoch from clock_timestamp()) * 1000)::bigint
from coalesce(pg_sequence_last_value('pgmend.doorbell_lease'), 0) as lease (until)
