-- Events still in the outbox, of all that were ever written.
select
    count(*) as found,
    coalesce(pg_sequence_last_value('pgmend.event_ids'), 0) as checked
from pgmend.outbox
