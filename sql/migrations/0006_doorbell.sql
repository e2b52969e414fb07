-- The doorbell wakes a worker. NOTIFY holds one instance-wide lock through commit, so it rings only when no worker says that
-- it is awake. That word is a lease: the value of a sequence, because it is not transactional, never bloats, and is read by a
-- plain function call. 0: all sleep; 1: somebody stopped and does not know who relied on him; else the milliseconds since the
-- epoch until which a worker stays awake. Who writes an event rings unless it is above 1 and looks at no clock, which would be a
-- good part of what a sign-up pays; that a lease ran out because its holder died is for the workers' heartbeats to find.
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
    if coalesce(pg_sequence_last_value('pgmend.doorbell_lease'), 0) <= 1
        and current_setting('pgmend.silent', true) is distinct from 'on'
    then
        perform pg_notify('pgmend', '');
    end if;
end
$function$;
