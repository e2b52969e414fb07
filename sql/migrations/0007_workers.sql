-- Who is at work: one row a worker, renewed at every heartbeat. A graceful stop says so in it; the last one of each host stays
-- for a day, so that who misses a worker learns what became of it. After silent_after without a sign it is taken for dead: three
-- of its own heartbeats and the time that one may take, which nobody else knows. The role is for the doctor, who judges the
-- rights of the worker whoever asks.
create table if not exists pgmend.workers (
    worker_id text not null,
    host text not null,
    pid integer not null,
    version text not null,
    listening boolean not null,
    silent_after interval not null default interval '20 seconds',
    role_name name not null default current_user,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    stopped_at timestamptz,
    constraint workers_pkey primary key (worker_id)
);

-- A few rows, each renewed all day long: room for the new versions beside the old, on the same page.
alter table pgmend.workers set (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
