-- What the sweep has counted last, so that probes, metrics, the page and `pgmend status` read it and nobody counts anew.
-- user_counts: a row for each profile source.
--   users             users who are entitled to a profile; null where the conditions choke on somebody's values
--   without_profile   of them, or of those whom the conditions cannot judge, who has no profile
--   overdue           of those, whom no event of the last minute speaks of: nobody has just signed up, or was just announced
--   overdue_since     the first count of an unbroken row of counts that found somebody overdue
-- orphan_counts: a row for each reference that was counted, by the name that people write for it.
-- reference_keys: by the same name, the foreign key that held the reference when somebody looked last, and whether it was valid.
-- source_failures: a row for each source that cannot work, whoever the user is; the counts of such a source are those of before.
--   message           what the database said, with the condition in front where it is one
--   events            events of the careful lane that have come back with that SQLSTATE, again and again
--   failing_since     the first sweep of an unbroken row of sweeps that has met a failure
create table if not exists pgmend.user_counts (
    source_id integer not null,
    users bigint,
    without_profile bigint not null,
    overdue bigint not null,
    overdue_since timestamptz,
    counted_at timestamptz not null,
    constraint user_counts_pkey primary key (source_id),
    constraint user_counts_go_with_their_source
    foreign key (source_id) references pgmend.profile_sources (source_id) on delete cascade
);

create table if not exists pgmend.orphan_counts (
    reference text not null,
    referencing_table text not null,
    constraint_name text,
    orphans bigint not null,
    orphans_since timestamptz,
    counted_at timestamptz not null,
    constraint orphan_counts_pkey primary key (reference)
);

create table if not exists pgmend.reference_keys (
    reference text not null,
    referencing_table text not null,
    constraint_name text,
    is_valid boolean not null,
    constraint reference_keys_pkey primary key (reference)
);

create table if not exists pgmend.source_failures (
    source_id integer not null,
    sqlstate text not null,
    message text not null,
    events bigint not null,
    failing_since timestamptz not null,
    failed_at timestamptz not null,
    constraint source_failures_pkey primary key (source_id),
    constraint source_failures_go_with_their_source
    foreign key (source_id) references pgmend.profile_sources (source_id) on delete cascade
);

-- By the source's id, as in 0010_by_source.sql.
create or replace function pgmend.count_users(source_id integer)
returns table (users bigint, without_profile bigint, overdue bigint)
language plpgsql
rows 1
set search_path = pg_catalog, pg_temp
as $function$
begin
    return query execute format('select * from pgmend.count_%s()', source_id);
end
$function$;
