-- Events still in the outbox, of all that were ever written.
select
    count(*) as found,
    coalesce(pg_sequence_last_value(pg_get_serial_sequence('pgmend.outbox', 'event_id')), 0) as checked
from pgmend.outbox
