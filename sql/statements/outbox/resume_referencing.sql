-- Makes captured rows due that waited for others to be settled.
update pgmend.careful_events
set available_at = clock_timestamp()
where waits_for_event = any($1::bigint[])
