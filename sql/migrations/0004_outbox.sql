-- Events: what is to be put right, written in the application's own transaction and emptied by the worker.
-- lane: express events are settled set-wise in the order of their id; careful ones one by one when available_at has come.
-- user_seen: the user existed when the event was written, so one who is absent later has been erased.
-- row_image: the captured row, {"column": "its value as text" or null}; absent columns take their defaults at replay.
-- A sign-up pays for one index entry only: everything else about the table is arranged around that.
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
    constraint outbox_pkey primary key (event_id),
    constraint outbox_kind_is_known check (kind in ('user_created', 'insert_failed')),
    constraint outbox_lane_is_known check (lane in ('express', 'careful')),
    constraint outbox_failed_insert_has_its_row check (
        kind <> 'insert_failed'
        or (lane = 'careful' and referencing_table is not null and row_image is not null and writer_role is not null)
    )
);

create index if not exists outbox_careful_by_available_at on pgmend.outbox (available_at) where lane = 'careful';

create index if not exists outbox_waiting on pgmend.outbox (waiting_for) where waiting_for is not null;

-- Emptied as fast as it fills: let vacuum come by row count, not by share of a table that is near empty at most times.
alter table pgmend.outbox set (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 50000
);
