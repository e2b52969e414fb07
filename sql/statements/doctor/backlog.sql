-- The outbox: how many events, and how many seconds the oldest of those that are due has been due.
select
    count(*) as events,
    coalesce(extract(epoch from clock_timestamp() - min(available_at)), 0)::float8 as overdue
from pgmend.outbox
