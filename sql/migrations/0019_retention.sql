-- Retention: what is let go with time, in batches of at most so many rows, each of which is a transaction of the worker's. Its
-- settings say how long things are kept. Nothing goes without an entry in the audit that says so, but the audit itself.

-- Lets captured rows go that nobody has settled in time, waiting or dead: their days count from the capture, whatever became of
-- them since. What they were about stays in the audit.
-- Returns how many there were.
create or replace function pgmend.expire_captured_rows(most integer, older_than interval)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    oldest constant timestamptz := clock_timestamp() - older_than;
    expired bigint;
begin
    with waiting as (
        select event.event_id
        from pgmend.careful_events as event
        where event.kind = 'insert_failed' and event.created_at < oldest
        limit most
        for update skip locked
    ),

    given_up as (
        delete from pgmend.careful_events as event
        where event.event_id in (select waiting.event_id from waiting)
        returning
            event.event_id, event.user_key, event.referencing_table, event.constraint_name, event.attempts,
            event.correlation_id, event.last_failure ->> 'sqlstate' as sqlstate
    ),

    lying as (
        select letter.event_id
        from pgmend.dead_letters as letter
        where letter.kind = 'insert_failed' and letter.created_at < oldest
        limit most
        for update skip locked
    ),

    let_go as (
        delete from pgmend.dead_letters as letter
        where letter.event_id in (select lying.event_id from lying)
        returning
            letter.event_id, letter.user_key, letter.referencing_table, letter.constraint_name, letter.attempts,
            letter.correlation_id, letter.sqlstate
    ),

    audited as (
        insert into pgmend.audit_entries (
            error_type, severity, user_id, table_name, constraint_name, sqlstate, message, attempt, event_id, correlation_id
        )
        select
            'CAPTURED_ROW_EXPIRED', 'error', gone.user_key, gone.referencing_table::text, gone.constraint_name, gone.sqlstate,
            'nobody settled the captured row in time, and it was let go', gone.attempts, gone.event_id, gone.correlation_id
        from (select * from given_up union all select * from let_go) as gone
        returning event_id
    )

    select count(*) into expired from audited;
    return expired;
end
$function$;

-- Lets dead letters of sign-ups go, which hold no row. A user who is still without a profile is found by the next sweep, and is
-- tried again. Returns how many there were.
create or replace function pgmend.expire_dead_letters(most integer, older_than interval)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    oldest constant timestamptz := clock_timestamp() - older_than;
    expired bigint;
begin
    with lying as (
        select letter.event_id
        from pgmend.dead_letters as letter
        where letter.kind <> 'insert_failed' and letter.dead_at < oldest
        limit most
        for update skip locked
    ),

    let_go as (
        delete from pgmend.dead_letters as letter
        where letter.event_id in (select lying.event_id from lying)
        returning letter.*
    ),

    audited as (
        insert into pgmend.audit_entries (
            error_type, severity, user_id, constraint_name, sqlstate, message, details, attempt, event_id, correlation_id
        )
        select
            'DEAD_LETTER_EXPIRED', 'warning', let_go.user_key, let_go.failed_constraint, let_go.sqlstate,
            'nobody looked at the dead letter in time, and it was let go',
            jsonb_build_object('verdict', let_go.verdict, 'source_id', let_go.source_id), let_go.attempts, let_go.event_id,
            let_go.correlation_id
        from let_go
        returning event_id
    )

    select count(*) into expired from audited;
    return expired;
end
$function$;

-- The types of the entries that pgmend writes, beside those that guards name and those of orphans: core/audit.py says what each
-- means. Said here too, because who runs the worker could name the application's.
create or replace function pgmend.audited_types()
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
select
    array[
        'MISSING_PROFILE_CREATED', 'FOREIGN_KEY_VIOLATION_CAPTURED', 'INSERT_REPLAYED', 'INSERT_FOUND_STORED',
        'CONVERSATION_RETRIED', 'ERASED_USER_EVENT_DROPPED', 'ERASED_USER_DEAD_LETTER_DROPPED', 'EVENT_DEAD_LETTERED',
        'DEAD_LETTER_REQUEUED', 'DEAD_LETTER_DISCARDED', 'CAPTURED_ROW_EXPIRED', 'DEAD_LETTER_EXPIRED', 'SOURCE_PAUSED',
        'SOURCE_RESUMED', 'USERS_WITHOUT_PROFILE_DETECTED', 'FOREIGN_KEY_LOST', 'FOREIGN_KEY_VALIDATED',
        'REFERENCING_ROW_QUARANTINED', 'QUARANTINED_ROW_RESTORED'
    ]
$function$;

-- Deletes the oldest audit entries, but only of the types that pgmend writes: the table may hold others' entries as well.
-- Returns how many there were. Where the application has divided the table, a place is one in each of its parts, so both
-- conditions are said again of what goes: a few more than asked for may.
create or replace function pgmend.expire_audit_entries(most integer, older_than interval)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    oldest constant timestamptz := clock_timestamp() - older_than;
    types constant text[] := pgmend.audited_types()
    || array(select guard.replayed_error_type from pgmend.guarded_constraints as guard);
    looked_at text := '';
    gone bigint;
    expired bigint := 0;
begin
    -- From one type to the next, by the index by type and time.
    loop
        select entry.error_type into looked_at
        from pgmend.audit_entries as entry
        where entry.error_type > looked_at
        order by entry.error_type
        limit 1;
        exit when looked_at is null or expired >= most;
        if looked_at = any(types) or looked_at ~ '^ORPHANED_[A-Z0-9_]+_DETECTED$' then
            delete from pgmend.audit_entries as entry
            where entry.place = any(
                array(
                    select old.place
                    from pgmend.audit_entries as old
                    where old.error_type = looked_at and old.created_at < oldest
                    order by old.created_at
                    limit most - expired
                )
            ) and entry.error_type = looked_at and entry.created_at < oldest;
            get diagnostics gone = row_count;
            expired := expired + gone;
        end if;
    end loop;
    return expired;
end
$function$;

-- What is so of some users of a source. Of those whose values the source's conditions choke on nothing is said.
create or replace function pgmend.facts_that_can_be_told(source_id integer, user_keys text[])
returns table (user_key text, user_state text, profile_exists boolean, known_before boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    half constant integer := cardinality(user_keys) / 2;
begin
    return query select * from pgmend.user_facts(source_id, user_keys);
exception
    when transaction_rollback or insufficient_resources or operator_intervention then
        raise;
    when insufficient_privilege then
        return; -- of all alike: row-level security hides the users
    when others or assert_failure then
        if half > 0 then
            return query select * from pgmend.facts_that_can_be_told(source_id, user_keys[1 : half]);
            return query select * from pgmend.facts_that_can_be_told(source_id, user_keys[half + 1 :]);
        end if;
end
$function$;

-- Drops what is kept of users who have been erased since: dead letters, and rows that wait, those of a paused source as well.
-- Looks at the next so many events of the source above an id; returns the last it looked at, and how many it looked at.
-- Erased is whom the worker's own decision (core/decision.py) calls so: of whom the source says it, and who is absent although
-- they were known. Where more of those have vanished without a word than anybody expects (pgmend.limits), their table may have
-- been emptied by accident: nothing of theirs is dropped, and the source is paused until a person has looked.
create or replace function pgmend.drop_erased(
    wanted_source integer, after_event bigint, most integer, out last_event bigint, out looked bigint, out dropped bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    decided_until constant timestamptz := coalesce(
        (select source.resumed_at from pgmend.profile_sources as source where source.source_id = wanted_source), '-infinity'
    );
    limits pgmend.limits;
    ids bigint[];
    keys text[];
    undecided_keys text[];
    seen_keys text[];
    erased_keys text[];
    absent_keys text[];
    known_keys text[];
    vanished bigint;
begin
    dropped := 0;
    select configured.* into strict limits from pgmend.limits as configured;
    select
        max(lies.event_id), count(*), array_agg(lies.event_id), array_agg(distinct lies.user_key),
        array_agg(distinct lies.user_key) filter (where lies.created_at > decided_until),
        array_agg(distinct lies.user_key) filter (where lies.user_seen)
    into last_event, looked, ids, keys, undecided_keys, seen_keys
    from (
        (
            select event.event_id, event.user_key, event.user_seen, event.created_at
            from pgmend.careful_events as event
            where event.source_id = wanted_source and event.kind = 'insert_failed' and event.event_id > after_event
            order by event.event_id
            limit most
        )
        union all
        (
            select letter.event_id, letter.user_key, letter.user_seen or letter.kind = 'user_created', letter.created_at
            from pgmend.dead_letters as letter
            where letter.source_id = wanted_source and letter.event_id > after_event
            order by letter.event_id
            limit most
        )
        order by event_id
        limit most
    ) as lies;
    if looked = 0 then
        return;
    end if;

    select
        coalesce(array_agg(fact.user_key) filter (where fact.user_state = 'erased'), '{}'),
        coalesce(array_agg(fact.user_key) filter (where fact.user_state = 'absent' and not fact.profile_exists), '{}'),
        coalesce(array_agg(fact.user_key) filter (where fact.known_before), '{}')
    into erased_keys, absent_keys, known_keys
    from pgmend.facts_that_can_be_told(wanted_source, keys) as fact;

    select count(*) into vanished
    from unnest(undecided_keys) as undecided (user_key)
    where undecided.user_key = any(absent_keys)
        and (undecided.user_key = any(known_keys) or undecided.user_key = any(seen_keys));
    if vanished > limits.unexpected_users and vanished > limits.unexpected_share * cardinality(undecided_keys) then
        perform pgmend.pause_source(
            wanted_source, format('%s users have vanished of whom captured rows are kept', vanished)
        );
        absent_keys := '{}';
    end if;

    with gone (user_key, is_erased, known_before) as (
        select erased.user_key, true, true from unnest(erased_keys) as erased (user_key)
        union all
        select absent.user_key, false, absent.user_key = any(known_keys) from unnest(absent_keys) as absent (user_key)
    ),

    waiting as (
        select event.event_id
        from pgmend.careful_events as event
        inner join gone on gone.user_key = event.user_key
        where event.event_id = any(ids) and (gone.is_erased or gone.known_before or event.user_seen)
        for update of event skip locked
    ),

    given_up as (
        delete from pgmend.careful_events as event
        where event.event_id in (select waiting.event_id from waiting)
        returning
            'ERASED_USER_EVENT_DROPPED' as error_type, event.kind, event.event_id, event.user_key, event.referencing_table,
            event.constraint_name, event.attempts, event.correlation_id
    ),

    lying as (
        select letter.event_id
        from pgmend.dead_letters as letter
        inner join gone on gone.user_key = letter.user_key
        where letter.event_id = any(ids)
            and (gone.is_erased or gone.known_before or letter.kind = 'user_created' or letter.user_seen)
        for update of letter skip locked
    ),

    let_go as (
        delete from pgmend.dead_letters as letter
        where letter.event_id in (select lying.event_id from lying)
        returning
            'ERASED_USER_DEAD_LETTER_DROPPED', letter.kind, letter.event_id, letter.user_key, letter.referencing_table,
            letter.constraint_name, letter.attempts, letter.correlation_id
    ),

    audited as (
        insert into pgmend.audit_entries (
            error_type, severity, user_id, table_name, constraint_name, message, details, attempt, event_id, correlation_id
        )
        select
            lost.error_type, 'info', lost.user_key, lost.referencing_table::text, lost.constraint_name,
            'the user is erased, and what was kept of them was dropped',
            jsonb_build_object('verdict', 'erased', 'kind', lost.kind, 'source_id', wanted_source), lost.attempts, lost.event_id,
            lost.correlation_id
        from (select * from given_up union all select * from let_go) as lost
        returning event_id
    )

    select count(*) into dropped from audited;
end
$function$;

revoke all on all functions in schema pgmend from public;
