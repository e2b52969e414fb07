-- Acknowledges events: they are done and gone.
delete from pgmend.outbox
where event_id = any($1::bigint[])
