-- Says that this worker has stopped, and forgets those of its host that had stopped before, and those of whom nothing was heard
-- for a day. Locks none that another one has in hand.
with forgettable as (
    select former.worker_id
    from pgmend.workers as former
    where
        former.worker_id <> $1
        and (
            former.seen_at < clock_timestamp() - interval '1 day'
            or (former.stopped_at is not null and former.host = $2)
        )
    for update skip locked
),

forgotten as (
    delete from pgmend.workers
    where worker_id in (select forgettable.worker_id from forgettable)
)

update pgmend.workers
set seen_at = clock_timestamp(), stopped_at = clock_timestamp()
where worker_id = $1
