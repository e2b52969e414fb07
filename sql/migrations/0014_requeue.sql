-- What a person does with a dead letter: send it back, or let it go. Both for many at once, and both return how many there were.
-- pgmend.on_behalf_of: whom the session acts for, where one login serves many people; the audit says it beside the login.

-- Sends dead letters back to the careful lane, due now. Attempts and the recorded failure begin anew: what made it one has
-- changed, or the person would not ask. The time of the capture stays, and with it the age: nothing is kept longer for a requeue.
create or replace function pgmend.requeue(event_ids bigint[])
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    requeued bigint;
begin
    with letters as (
        delete from pgmend.dead_letters as letter
        where letter.event_id = any(event_ids)
        returning letter.*
    ),

    returned as (
        insert into pgmend.careful_events (
            event_id, source_id, kind, user_key, created_at, user_seen, correlation_id,
            referencing_table, constraint_name, row_image, writer_role, writer_claims, waiting_for,
            waits_for_event
        )
        select
            letters.event_id, letters.source_id, letters.kind, letters.user_key, letters.created_at, letters.user_seen,
            letters.correlation_id, letters.referencing_table, letters.constraint_name, letters.row_image,
            letters.writer_role, letters.writer_claims, letters.waiting_for, letters.waits_for_event
        from letters
        returning event_id
    ),

    audited as (
        insert into pgmend.audit_entries (
            error_type, severity, user_id, table_name, constraint_name, sqlstate,
            message, details, attempt, event_id, correlation_id
        )
        select
            'DEAD_LETTER_REQUEUED', 'info', letters.user_key, letters.referencing_table::text, letters.failed_constraint,
            letters.sqlstate, 'a person sent the dead letter back',
            jsonb_strip_nulls(
                jsonb_build_object(
                    'verdict', letters.verdict, 'requeued_by', session_user,
                    'on_behalf_of', nullif(current_setting('pgmend.on_behalf_of', true), '')
                )
            ),
            letters.attempts,
            letters.event_id, letters.correlation_id
        from letters
    )

    select count(*) into requeued from returned;
    if requeued > 0 then
        perform pgmend.ring_doorbell();
    end if;
    return requeued;
end
$function$;

-- Lets dead letters go, captured rows included; the audit keeps that it was done, and by whom.
create or replace function pgmend.discard(event_ids bigint[])
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    discarded bigint;
begin
    with letters as (
        delete from pgmend.dead_letters as letter
        where letter.event_id = any(event_ids)
        returning letter.*
    ),

    audited as (
        insert into pgmend.audit_entries (
            error_type, severity, user_id, table_name, constraint_name, sqlstate,
            message, details, attempt, event_id, correlation_id
        )
        select
            'DEAD_LETTER_DISCARDED', 'warning', letters.user_key, letters.referencing_table::text, letters.failed_constraint,
            letters.sqlstate, 'a person discarded the dead letter',
            jsonb_strip_nulls(
                jsonb_build_object(
                    'verdict', letters.verdict, 'discarded_by', session_user,
                    'on_behalf_of', nullif(current_setting('pgmend.on_behalf_of', true), '')
                )
            ),
            letters.attempts,
            letters.event_id, letters.correlation_id
        from letters
        returning event_id
    )

    select count(*) into discarded from audited;
    return discarded;
end
$function$;
