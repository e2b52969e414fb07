-- Keeps that source $1 fails, with SQLSTATE $2 and message $3, which $4 events have met; since when it does stays.
insert into pgmend.source_failures as known (source_id, sqlstate, message, events, failing_since, failed_at)
select source.source_id, $2, $3, $4, clock_timestamp(), clock_timestamp()
from pgmend.profile_sources as source
where source.source_id = $1
on conflict (source_id) do update set
    sqlstate = excluded.sqlstate,
    message = excluded.message,
    events = excluded.events,
    failed_at = excluded.failed_at
