-- The last event id that was given out, or 0.
select coalesce(pg_catalog.pg_sequence_last_value('pgmend.event_ids'), 0) as last_id
