-- Capture of failed inserts: the row is written down instead of lost, as an event that names its writer.

-- The columns of a row that an insert may name, among those that the given JSON object carries. Raises for a key that is no
-- column of the table (PM002): what cannot be stored is said at once.
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
    select attribute.attname, format_type(attribute.atttypid, -1)
    from pg_attribute as attribute
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
    select string_agg(format('%L, row_given.%I::text', listed.column_name, listed.column_name), ', ') into pairs
    from pgmend.insertable_columns(referencing_table, given) as listed;
    execute format('select jsonb_build_object(%s) from (select ($1).*) as row_given', pairs) into image using row_given;
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
    execute format(
        'select pgmend.printed_row(jsonb_populate_record(null::%s, $1), $2, $1)', referencing_table
    ) into image using given, referencing_table;
    return image;
end
$function$;

-- Writes the event of a captured row. Security definer, because writers have no right on the outbox, and therefore without any
-- look at the row but as text: a type, domain or view of the caller's making must not be evaluated with these rights.
create or replace function pgmend.record_failed_insert(
    referencing_table regclass,
    row_image jsonb,
    constraint_name name,
    waiting_for text
)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    guarded record;
    user_seen boolean;
    receipt bigint;
    correlation constant text := nullif(current_setting('pgmend.correlation_id', true), '');
begin
    select guard.source_id, guard.constraint_name, record_failed_insert.row_image ->> guard.user_column::text as user_key
    into guarded
    from pgmend.guards as guard
    where guard.referencing_table = record_failed_insert.referencing_table
        and guard.constraint_name = coalesce(record_failed_insert.constraint_name, guard.constraint_name)
        and record_failed_insert.row_image ->> guard.user_column::text is not null
    order by guard.constraint_name
    limit 1;
    if not found then
        raise exception 'no guarded constraint of % was violated by this row', record_failed_insert.referencing_table
            using
                errcode = 'foreign_key_violation',
                constraint = coalesce(record_failed_insert.constraint_name, ''),
                hint = 'Guard the foreign key first: select pgmend.guard(table, constraint).';
    end if;

    begin
        select facts.user_state <> 'absent' into user_seen
        from pgmend.user_facts(guarded.source_id, array[guarded.user_key]) as facts;
    exception
        when transaction_rollback or insufficient_resources or operator_intervention then
            raise;
        when others or assert_failure then
            -- The source's conditions choke on this user. The row is kept all the same, and the worker will say so.
            user_seen := false;
    end;

    insert into pgmend.careful_events (
        source_id, kind, user_key, user_seen, correlation_id,
        referencing_table, constraint_name, row_image, writer_role, writer_claims, waiting_for
    )
    values (
        guarded.source_id, 'insert_failed', guarded.user_key, user_seen, correlation,
        record_failed_insert.referencing_table, guarded.constraint_name, record_failed_insert.row_image,
        coalesce(nullif(current_setting('role', true), 'none'), session_user),
        nullif(current_setting('request.jwt.claims', true), ''), record_failed_insert.waiting_for
    )
    returning event_id into receipt;

    insert into pgmend.audit_entries
        (error_type, severity, user_id, table_name, constraint_name, sqlstate, message, details, event_id, correlation_id)
    values (
        'FOREIGN_KEY_VIOLATION_CAPTURED', 'warning', guarded.user_key, record_failed_insert.referencing_table::text,
        guarded.constraint_name, '23503', 'a failed insert was captured and will be replayed',
        jsonb_strip_nulls(jsonb_build_object('waiting_for', record_failed_insert.waiting_for)), receipt, correlation
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
-- Returns {"status": "stored"} or {"status": "parked", "event_id": receipt}.
-- No search_path of its own: the application's triggers find what they find in any insert of the caller.
create or replace function pgmend.insert_or_park(referencing_table regclass, new_row jsonb)
returns jsonb
language plpgsql
as $function$
declare
    columns text;
    violated text;
begin
    select string_agg(quote_ident(listed.column_name), ', ') into columns
    from pgmend.insertable_columns(referencing_table, new_row) as listed;
    begin
        execute format(
            'insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1)', referencing_table, columns
        ) using new_row;
        return jsonb_build_object('status', 'stored');
    exception when foreign_key_violation then
        get stacked diagnostics violated = constraint_name;
        return jsonb_build_object(
            'status', 'parked',
            'event_id', pgmend.report_failed_insert(referencing_table, new_row, violated)
        );
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
