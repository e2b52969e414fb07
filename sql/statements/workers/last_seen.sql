-- Seconds since a worker on host $1 (null: on any) was heard of that has not stopped, and since the last one stopped; null where
-- there is none. Whether one is alive: heard of so lately as it promises itself.
select
    extract(epoch from clock_timestamp() - max(seen_at) filter (where stopped_at is null))::float8 as at_work,
    extract(epoch from clock_timestamp() - max(stopped_at))::float8 as stopped,
    coalesce(bool_or(stopped_at is null and seen_at > clock_timestamp() - silent_after), false) as is_alive
from pgmend.workers
where host = $1 or $1::text is null
