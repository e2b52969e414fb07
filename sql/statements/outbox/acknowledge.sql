-- Acknowledges events of the careful lane: they are done and gone.
delete from pgmend.careful_events
where event_id = any($1::bigint[])
