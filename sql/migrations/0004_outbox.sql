-- Events: what is to be put right, written in the application's own transaction and emptied by the worker.
-- lane: express events are settled set-wise in the order of their id; careful ones one by one when available_at has come.
-- user_seen: the user existed when the event was written, so one who is absent later has been erased.
-- row_image: the captured row, {"column": "its value as text" or null}; absent columns take their defaults at replay.
-- A sign-up pays for one index entry and nothing else, so the table has no checks: Postgres compiles those anew for every insert,
-- a fifth of what a sign-up costs. Only functions of this schema write here; the checks stand on the dead letters.
create table if not exists pgmend.outbox (
    event_id bigint generated always as identity,
    source_id integer not null,
    kind text not null,
    lane text not null,
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
    constraint outbox_pkey primary key (event_id)
);

create index if not exists outbox_careful_by_available_at on pgmend.outbox (available_at) where lane = 'careful';

-- Emptied as fast as it fills: let vacuum come by row count, not by share of a table that is near empty at most times.
alter table pgmend.outbox set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 50000
);
