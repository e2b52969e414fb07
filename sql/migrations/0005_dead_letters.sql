-- Events set aside for a person, each with a verdict and a hint. A dead letter keeps its event's id, so that a receipt and
-- the audit trail still name it after it was requeued.
-- failed_constraint, failed_column: what refused it; where no constraint did, the key that was captured.
create table if not exists pgmend.dead_letters (
    like pgmend.careful_events including defaults,
    verdict text not null,
    sqlstate text,
    message text not null,
    hint text not null,
    dead_at timestamptz not null default clock_timestamp(),
    failed_constraint text,
    failed_column text,
    constraint dead_letters_pkey primary key (event_id),
    constraint dead_letters_kind_is_known check (kind in ('user_created', 'insert_failed')),
    constraint dead_letters_failed_insert_has_its_row check (
        kind <> 'insert_failed'
        or (referencing_table is not null and row_image is not null and writer_role is not null)
    )
);

alter table pgmend.dead_letters alter event_id drop default;

-- Searched for newest first, a hundred thousand of them included; counted by the one by verdict alone.
create index if not exists dead_letters_by_user on pgmend.dead_letters (user_key, event_id);

create index if not exists dead_letters_by_verdict on pgmend.dead_letters (verdict, event_id);

create index if not exists dead_letters_by_constraint on pgmend.dead_letters (failed_constraint, event_id);

create index if not exists dead_letters_by_dead_at on pgmend.dead_letters (dead_at);

create index if not exists dead_letters_by_created_at on pgmend.dead_letters (created_at) where kind = 'insert_failed';

create index if not exists dead_letters_by_writer on pgmend.dead_letters (writer_role) where kind = 'insert_failed';

create index if not exists dead_letters_by_row on pgmend.dead_letters using gin (row_image jsonb_path_ops)
where kind = 'insert_failed';

-- Requeued and discarded by the thousand, or not at all for months.
alter table pgmend.dead_letters set (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_analyze_threshold = 1000,
    toast.autovacuum_vacuum_scale_factor = 0.05,
    toast.autovacuum_vacuum_threshold = 1000
);
