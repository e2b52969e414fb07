-- The doorbell wakes a worker. NOTIFY holds one instance-wide lock through commit, so it rings only when no worker says that
-- it is awake. That word is a lease: the value of a sequence, because it is not transactional, never bloats, and is read by a
-- plain function call.
--   0                          all sleep
--   up to 1,000,000,000,000    the process id of a worker's backend that has cleared its lease and waits for who relied on it
--   above                      milliseconds since the epoch: a worker stays awake until then
-- Who writes an event rings unless a worker is awake, and looks at no clock, which would be a good part of what a sign-up pays:
-- that a lease ran out, or that the backend is gone, because its worker died, is for the heartbeats of the others to find.
-- The writer's transaction has its id before the lease is read: a worker that has cleared it can therefore wait for every
-- transaction that may have read the old value, and finds their events.
do $migration$
begin
    if to_regclass('pgmend.doorbell_lease') is null then
        create sequence pgmend.doorbell_lease as bigint minvalue 0 start with 0;
    end if;
end
$migration$;

-- Rings, unless a worker is awake. Whoever writes an event calls it, after the event. A transaction that is to be prepared must
-- not NOTIFY: it says `set local pgmend.silent = 'on'`, and the poll finds its event.
create or replace function pgmend.ring_doorbell()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    if coalesce(pg_sequence_last_value('pgmend.doorbell_lease'), 0) <= 1000000000000
        and current_setting('pgmend.silent', true) is distinct from 'on'
    then
        perform pg_notify('pgmend', '');
    end if;
end
$function$;
