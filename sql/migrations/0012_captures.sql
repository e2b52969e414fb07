-- Capture of failed inserts: the row is written down instead of lost, as an event that names its writer.

-- The columns of a row that an insert may name, among those that the given JSON object carries. Raises for a key that is no
-- column of the table (PM002): what cannot be stored is said at once. Types are named with their schema: the name is used in
-- sessions of others, where a temporary type may have the same.
create or replace function pgmend.insertable_columns(referencing_table regclass, given jsonb)
returns table (column_name name, type_name text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    unknown_column text;
begin
    select given_key into unknown_column
    from jsonb_object_keys(given) as given_key
    where not exists (
        select from pg_attribute as attribute
        where attribute.attrelid = referencing_table and attribute.attname = given_key
            and attribute.attnum > 0 and not attribute.attisdropped
    )
    limit 1;
    if unknown_column is not null then
        raise exception 'the table % has no column %', referencing_table, unknown_column
            using errcode = 'PM002', hint = 'The column was dropped or renamed, or the row was never one of this table.';
    end if;

    return query
    select attribute.attname, format('%I.%I', space.nspname, type.typname)
    from pg_attribute as attribute
    inner join pg_type as type on type.oid = attribute.atttypid
    inner join pg_namespace as space on space.oid = type.typnamespace
    where attribute.attrelid = referencing_table
        and attribute.attnum > 0
        and not attribute.attisdropped
        and attribute.attgenerated = ''
        and given ? attribute.attname
    order by attribute.attnum;
end
$function$;

-- The given columns of a row as the exact text of each value: {"column": "text" or null}. Printed under settings of its own, so
-- that the text means the same in the session that replays it.
create or replace function pgmend.printed_row(row_given anyelement, referencing_table regclass, given jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set intervalstyle = 'iso_8601'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
as $function$
declare
    image jsonb;
    pairs text;
begin
    -- format() prints by the type's output function. A cast to text may be of somebody's making, and takes the blanks off a bpchar.
    select
        string_agg(
            format(
                '%L, case when num_nulls(row_given.%I) = 0 then format(''%%s'', row_given.%I) end',
                listed.column_name, listed.column_name, listed.column_name
            ),
            ', '
        )
    into pairs
    from pgmend.insertable_columns(referencing_table, given) as listed;
    execute format('select jsonb_object(array[%s]::text[]) from (select ($1).*) as row_given', pairs) into image using row_given;
    return image;
end
$function$;

-- A row given as JSON, read under the caller's settings and with the caller's rights, as its image.
create or replace function pgmend.row_image(referencing_table regclass, given jsonb)
returns jsonb
language plpgsql
stable
as $function$
declare
    image jsonb;
begin
    execute pg_catalog.format(
        'select pgmend.printed_row(pg_catalog.jsonb_populate_record(null::%s, $1), $2, $1)', referencing_table
    ) into image using given, referencing_table;
    return image;
end
$function$;

-- What a row has violated, as far as pgmend looks after it: a guarded key whose user is to be healed, or, where the key leads to
-- a row that was captured itself, that row. A partition reports its own name for the key of the partitioned table.
create or replace function pgmend.violation(referencing_table regclass, row_image jsonb, violated name)
returns table (
    source_id integer,
    constraint_name name,
    user_key text,
    replay_function text,
    unknown_user_grace interval,
    waits_for_event bigint,
    user_seen boolean
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
with recursive ancestry (constraint_oid, parent_oid) as (
    select foreign_key.oid, foreign_key.conparentid
    from pg_constraint as foreign_key
    where foreign_key.conname = violated and foreign_key.contype = 'f' and foreign_key.conparentid <> 0
    union all
    select ancestor.oid, ancestor.conparentid
    from pg_constraint as ancestor
    inner join ancestry on ancestor.oid = ancestry.parent_oid
),

violated_guard as (
    select
        guard.source_id, guard.constraint_name, row_image ->> guard.user_column::text as user_key, guard.replay_function,
        guard.unknown_user_grace, null::bigint as waits_for_event, null::boolean as user_seen
    from pgmend.guards as guard
    where guard.referencing_table = violation.referencing_table
        and row_image ->> guard.user_column::text is not null
        and (
            violated is null
            or guard.constraint_name = violated
            or guard.constraint_oid in (select ancestry.constraint_oid from ancestry)
        )
    order by guard.constraint_name
    limit 1
),

reference (referenced_table, referenced_key) as (
    select foreign_key.confrelid::regclass, jsonb_object_agg(referenced.attname, row_image -> referencing.attname::text)
    from pg_constraint as foreign_key
    cross join lateral unnest(foreign_key.conkey, foreign_key.confkey) as pair (referencing_number, referenced_number)
    inner join pg_attribute as referencing
        on referencing.attrelid = foreign_key.conrelid and referencing.attnum = pair.referencing_number
    inner join pg_attribute as referenced
        on referenced.attrelid = foreign_key.confrelid and referenced.attnum = pair.referenced_number
    where foreign_key.conrelid = violation.referencing_table and foreign_key.conname = violated and foreign_key.contype = 'f'
    group by foreign_key.confrelid
    having bool_and(row_image ->> referencing.attname::text is not null)
),

captured_reference as (
    select captured.source_id, captured.user_key, captured.event_id, captured.user_seen
    from reference
    cross join lateral (
        select event.source_id, event.user_key, event.event_id, event.user_seen
        from pgmend.careful_events as event
        where event.kind = 'insert_failed'
            and event.referencing_table = reference.referenced_table and event.row_image @> reference.referenced_key
        union all
        select letter.source_id, letter.user_key, letter.event_id, letter.user_seen
        from pgmend.dead_letters as letter
        where letter.kind = 'insert_failed'
            and letter.referencing_table = reference.referenced_table and letter.row_image @> reference.referenced_key
    ) as captured
    order by captured.event_id
    limit 1
)

select * from violated_guard
union all
select
    captured_reference.source_id, violated, captured_reference.user_key, null, null,
    captured_reference.event_id, captured_reference.user_seen
from captured_reference
where not exists (select from violated_guard)
$function$;

-- Whether this transaction has replayed a captured row: replay_as leaves a lock as a mark.
create or replace function pgmend.is_replaying()
returns boolean
language sql
volatile
set search_path = pg_catalog, pg_temp
as $function$
select exists (
    select from pg_locks as held
    where held.locktype = 'advisory' and held.classid = 1886219621 and held.objsubid = 2 and held.pid = pg_backend_pid()
)
$function$;

-- Writes the event of a captured row. Security definer, because writers have no right on the outbox, and therefore without any
-- look at the row but as text: a type, domain or view of the caller's making must not be evaluated with these rights.
--
-- tried_by: the role that has just tried the insert, where its own error is at hand. Then a row that is not captured is answered
-- with null, and with 0 where the profile is there by now, so that the insert is worth another attempt. Without it, the reason
-- is raised. The row is replayed as the session's role: an insert that was tried with the rights of a function's owner can be
-- replayed by a replay_function only.
create or replace function pgmend.record_failed_insert(
    referencing_table regclass,
    row_image jsonb,
    constraint_name name,
    waiting_for text,
    tried_by name default null
)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    violation record;
    user_state text;
    is_whole boolean := false;
    reason text;
    receipt bigint;
    correlation constant text := pgmend.given_correlation_id();
    claims constant text := nullif(current_setting('request.jwt.claims', true), '');
    writer constant name := coalesce(nullif(current_setting('role', true), 'none'), session_user);
begin
    if pgmend.is_replaying() then
        raise exception 'a replay captures nothing: the session is not its writer''s'
            using errcode = 'PM009', hint = 'Let the insert fail: the captured row that is being replayed is kept.';
    end if;
    select found_out.* into violation
    from pgmend.violation(
        record_failed_insert.referencing_table, record_failed_insert.row_image, record_failed_insert.constraint_name
    ) as found_out;
    if violation.source_id is null then
        reason := 'no guarded constraint of the table was violated by this row';
    elsif violation.replay_function is null and tried_by <> writer then
        reason := 'it was tried with the rights of another role';
    elsif tried_by is not null and not pgmend.is_replayable(writer) then
        reason := 'the role was granted the captures by way of another only, and nobody could replay for it';
    elsif violation.waits_for_event is null then
        begin
            select facts.user_state, facts.profile_exists into user_state, is_whole
            from pgmend.user_facts(violation.source_id, array[violation.user_key]) as facts;
        exception
            when transaction_rollback or insufficient_resources or operator_intervention then
                raise;
            when others or assert_failure then
                null; -- the source's conditions choke on this user: the row is kept all the same, and the worker will say so
        end;
        if tried_by is not null and is_whole then
            return 0;
        end if;
        if user_state = 'absent' and violation.unknown_user_grace is null then
            reason := 'there is no such user';
        end if;
    end if;
    if reason is not null then
        if tried_by is not null then
            return null;
        end if;
        raise exception 'the row was not captured: %', reason
            using
                errcode = 'foreign_key_violation',
                constraint = coalesce(record_failed_insert.constraint_name, ''),
                hint = 'select pgmend.guard(table, constraint) guards a key; its unknown_user_grace lets rows wait for a user to come.';
    end if;

    perform pgmend.require_room(writer, record_failed_insert.row_image, claims, concat(record_failed_insert.waiting_for, correlation));
    insert into pgmend.careful_events (
        source_id, kind, user_key, user_seen, correlation_id,
        referencing_table, constraint_name, row_image, writer_role, writer_claims, waiting_for, waits_for_event
    )
    values (
        violation.source_id, 'insert_failed', violation.user_key,
        coalesce(violation.user_seen, user_state <> 'absent', false), correlation,
        record_failed_insert.referencing_table, violation.constraint_name, record_failed_insert.row_image,
        writer, claims, record_failed_insert.waiting_for, violation.waits_for_event
    )
    returning event_id into receipt;

    insert into pgmend.audit_entries
        (error_type, severity, user_id, table_name, constraint_name, sqlstate, message, details, event_id, correlation_id)
    values (
        'FOREIGN_KEY_VIOLATION_CAPTURED', 'warning', violation.user_key, record_failed_insert.referencing_table::text,
        violation.constraint_name, '23503', 'a failed insert was captured and will be replayed',
        jsonb_strip_nulls(
            jsonb_build_object(
                'waiting_for', record_failed_insert.waiting_for, 'waits_for_event', violation.waits_for_event
            )
        ),
        receipt, correlation
    );
    perform pgmend.ring_doorbell();
    return receipt;
end
$function$;

-- Reports an insert that failed: after the writer's own rollback, in a new transaction. Returns the receipt: the event's id.
create or replace function pgmend.report_failed_insert(
    referencing_table regclass,
    failed_row jsonb,
    constraint_name name default null,
    waiting_for text default null
)
returns bigint
language plpgsql
as $function$
begin
    return pgmend.record_failed_insert(
        referencing_table, pgmend.row_image(referencing_table, failed_row), constraint_name, waiting_for
    );
end
$function$;

-- Tries an insert with the caller's own rights. Where a guarded foreign key refuses it, the row is captured instead of lost.
-- Returns {"status": "stored"} or {"status": "parked", "event_id": receipt}; whatever is neither raises the insert's own error.
-- No search_path of its own: the application's triggers find what they find in any insert of the caller. So each function of the
-- catalog is qualified, here and in park_row: one that somebody has made in a schema on the caller's path may fit better.
create or replace function pgmend.insert_or_park(referencing_table regclass, new_row jsonb)
returns jsonb
language plpgsql
as $function$
declare
    columns text;
    violated text;
    receipt bigint;
begin
    select pg_catalog.string_agg(pg_catalog.quote_ident(listed.column_name), ', ') into columns
    from pgmend.insertable_columns(referencing_table, new_row) as listed;
    for attempt in 1 .. 2 loop
        begin
            perform pg_catalog.set_config('pgmend.trying', 'on', true);
            execute pg_catalog.format(
                'insert into %1$s (%2$s) select %2$s from pg_catalog.jsonb_populate_record(null::%1$s, $1)', referencing_table, columns
            ) using new_row;
            perform pg_catalog.set_config('pgmend.trying', '', true);
            return pg_catalog.jsonb_build_object('status', 'stored');
        exception when foreign_key_violation then
            get stacked diagnostics violated = constraint_name;
            if pg_catalog.current_setting('pgmend.replaying', true) = 'on' then
                raise;
            end if;
            receipt := pgmend.record_failed_insert(
                referencing_table, pgmend.row_image(referencing_table, new_row), violated, null, current_user
            );
            if receipt is null or receipt = 0 and attempt = 2 then
                raise;
            end if;
            if receipt > 0 then
                return pg_catalog.jsonb_build_object('status', 'parked', 'event_id', receipt);
            end if;
        end;
    end loop;
    return null;
end
$function$;

-- What the mode park does with a row whose profile is missing: the insert is rehearsed in a savepoint, with the writer's own
-- rights, so that row-level security, grants, CHECK, NOT NULL, unique keys and every trigger have their say first, and whatever
-- it wrote is taken back in any case. Only where nothing but a guarded key refuses the row is it captured, and true returned.
-- With false the insert goes on, and says by itself what is wrong, or that nothing is.
-- The columns that the writer may not name take their defaults, now as at the replay.
create or replace function pgmend.park_row(referencing_table regclass, new_row anyelement)
returns boolean
language plpgsql
as $function$
declare
    columns text;
    image jsonb;
    violated text;
begin
    if current_user <> coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user) then
        return false;
    end if;
    begin
        select
            pg_catalog.string_agg(pg_catalog.quote_ident(listed.column_name), ', '),
            pg_catalog.jsonb_object_agg(listed.column_name, null::text)
        into columns, image
        from pgmend.insertable_columns(referencing_table, pg_catalog.to_jsonb(new_row)) as listed
        where pg_catalog.has_column_privilege(referencing_table, listed.column_name, 'insert');
        image := pgmend.printed_row(new_row, referencing_table, image);
        perform pg_catalog.set_config('pgmend.trying', 'on', true);
        execute pg_catalog.format(
            'insert into %1$s (%2$s) overriding system value select %2$s from (select ($1).*) as given',
            referencing_table, columns
        ) using new_row;
        raise exception 'nothing is wrong with the row' using errcode = 'PM006';
    exception
        when foreign_key_violation then
            get stacked diagnostics violated = constraint_name;
        when others then
            return false;
    end;
    begin
        return coalesce(pgmend.record_failed_insert(referencing_table, image, violated, null, current_user) > 0, false);
    exception when configuration_limit_exceeded or program_limit_exceeded then
        return false;
    end;
end
$function$;

-- What some captured inserts waited for has appeared: they are due now, and the doorbell rings.
-- Returns how many there were. An application calls it from a trigger, for example when an admin is made.
create or replace function pgmend.resume_waiting(appeared text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    resumed bigint;
begin
    update pgmend.careful_events as event
    set available_at = clock_timestamp()
    where event.waiting_for = appeared;
    get diagnostics resumed = row_count;
    if resumed > 0 then
        perform pgmend.ring_doorbell();
    end if;
    return resumed;
end
$function$;
