-- The outbox: how many events, counted up to $1, and how many seconds the oldest that could be claimed has been due.
select
    (
        select count(*)
        from (
            select event_id
            from pgmend.outbox
            order by event_id
            limit $1::integer
        ) as found
    ) as events,
    coalesce(extract(epoch from clock_timestamp() - oldest.due_at), 0)::float8 as overdue
from pgmend.oldest_due_event as oldest
