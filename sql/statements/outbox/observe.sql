-- One observation for the low-water mark: the lowest express id present above $1, the last id given out, the snapshot.
select
    (
        select event_id
        from pgmend.express_events
        where event_id > $1
        order by event_id
        limit 1
    ) as oldest_present,
    coalesce(pg_sequence_last_value('pgmend.event_ids'), 0) as last_id,
    pg_current_snapshot()::text as snapshot
