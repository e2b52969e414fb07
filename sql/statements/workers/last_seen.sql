-- Seconds since a worker on host $1 (null: on any) was seen; null when there is none.
select extract(epoch from clock_timestamp() - max(seen_at))::float8
from pgmend.workers
where host = $1 or $1::text is null
