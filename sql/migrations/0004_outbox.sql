-- Events: what is to be put right, written in the application's own transaction and emptied by the worker. A table for each lane,
-- and `pgmend.outbox` shows both. Only functions of this schema write here, so neither table has checks: Postgres compiles those
-- anew for every insert, a fifth of what a sign-up costs. The checks stand on the dead letters.
create sequence if not exists pgmend.event_ids as bigint;

-- The express lane: sign-ups, settled set-wise in the order of their ids. A sign-up pays for five columns and one index entry.
create table if not exists pgmend.express_events (
    event_id bigint not null default nextval('pgmend.event_ids'),
    source_id integer not null,
    user_key text not null,
    created_at timestamptz not null default clock_timestamp(),
    correlation_id text,
    constraint express_events_pkey primary key (event_id)
);

-- The careful lane: captured inserts, and sign-ups that the express lane could not settle, one by one when available_at has come.
-- user_seen: the user existed when the event was written, so one who is absent later has been erased.
-- waits_for_event: the captured row refers to another captured row, and can only stand when that one does.
-- row_image: the captured row, {"column": "its value as text" or null}; absent columns take their defaults at replay.
create table if not exists pgmend.careful_events (
    event_id bigint not null default nextval('pgmend.event_ids'),
    source_id integer not null,
    kind text not null,
    user_key text not null,
    attempts integer not null default 0,
    available_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp(),
    correlation_id text,
    last_failure jsonb,
    user_seen boolean not null default true,
    referencing_table regclass,
    constraint_name name,
    row_image jsonb,
    writer_role name,
    writer_claims text,
    waiting_for text,
    waits_for_event bigint,
    constraint careful_events_pkey primary key (event_id)
);

create index if not exists careful_events_by_available_at on pgmend.careful_events (available_at);

create index if not exists careful_events_by_writer on pgmend.careful_events (writer_role) where kind = 'insert_failed';

create index if not exists careful_events_by_row on pgmend.careful_events using gin (row_image jsonb_path_ops)
where kind = 'insert_failed';

create index if not exists careful_events_by_waits_for_event on pgmend.careful_events (waits_for_event)
where waits_for_event is not null;

-- What the application says of the request that it writes for; a traceparent is a correlation id, too. A sign-up reads the first
-- setting alone (0008_source_functions.sql): it pays for nothing that it can do without.
create or replace function pgmend.given_correlation_id()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select coalesce(
    nullif(current_setting('pgmend.correlation_id', true), ''),
    nullif(current_setting('pgmend.traceparent', true), '')
)
$function$;

create or replace view pgmend.outbox as
select
    event_id, 'express' as lane, source_id, 'user_created' as kind, user_key, 0 as attempts, created_at as available_at,
    created_at,
    correlation_id, null::jsonb as last_failure, true as user_seen, null::regclass as referencing_table,
    null::name as constraint_name, null::jsonb as row_image, null::name as writer_role, null::text as writer_claims,
    null::text as waiting_for, null::bigint as waits_for_event
from pgmend.express_events
union all
select
    event_id, 'careful' as lane, source_id, kind, user_key, attempts, available_at, created_at,
    correlation_id, last_failure, user_seen, referencing_table,
    constraint_name, row_image, writer_role, writer_claims,
    waiting_for, waits_for_event
from pgmend.careful_events;

-- Since when the oldest event has been due that a worker could claim: none of a paused source. An index finds it in each lane.
create or replace view pgmend.oldest_due_event as
with paused as materialized (
    select array(
        select source.source_id
        from pgmend.profile_sources as source
        where source.paused_at is not null
    ) as source_ids
)

select min(event.due_at) as due_at
from (
    (
        select created_at as due_at
        from pgmend.express_events
        where source_id <> all((select paused.source_ids from paused)::integer[])
        order by event_id
        limit 1
    )
    union all
    (
        select available_at as due_at
        from pgmend.careful_events
        where
            available_at <= statement_timestamp()
            and source_id <> all((select paused.source_ids from paused)::integer[])
        order by available_at
        limit 1
    )
) as event;

-- Emptied as fast as they fill: let vacuum come by row count, not by share of a table that is near empty at most times.
alter table pgmend.express_events set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 50000
);

alter table pgmend.careful_events set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 50000,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 5000
);
