-- One observation for the low-water mark: the lowest express id present above $1, the last id given out, the snapshot. And
-- whether an event above $1 is held by another worker, and does not only wait for its source to be resumed.
select
    (
        select event_id
        from pgmend.express_events
        where event_id > $1
        order by event_id
        limit 1
    ) as oldest_present,
    coalesce((
        select event_id > $1
        from pgmend.express_events
        where
            event_id > $1
            and source_id <> all(
                array(
                    select source.source_id
                    from pgmend.profile_sources as source
                    where source.paused_at is not null
                )
            )
        order by event_id
        limit 1
    ), false) as is_held,
    coalesce(pg_catalog.pg_sequence_last_value('pgmend.event_ids'), 0) as last_id,
    pg_current_snapshot()::text as snapshot
