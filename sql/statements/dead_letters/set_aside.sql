-- Makes events dead letters: the row moves, with its id, and gets a verdict, the failure and a hint. A dead letter of a user who
-- is erased never comes here: its payload is dropped instead.
with letters as (
    select *
    from
        unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
            as letter (event_id, verdict, sqlstate, message, hint, failed_constraint, failed_column)
),

moved as (
    delete from pgmend.careful_events as event
    using letters
    where event.event_id = letters.event_id
    returning
        event.*, letters.verdict, letters.sqlstate, letters.message, letters.hint,
        coalesce(letters.failed_constraint, event.constraint_name) as failed_constraint, letters.failed_column
)

insert into pgmend.dead_letters (
    event_id, source_id, kind, user_key, attempts, available_at, created_at, correlation_id, last_failure, user_seen,
    referencing_table, constraint_name, row_image, writer_role, writer_claims, waiting_for, waits_for_event,
    verdict, sqlstate, message, hint, failed_constraint, failed_column
)
select
    event_id, source_id, kind, user_key, attempts + 1, available_at, created_at, correlation_id, last_failure, user_seen,
    referencing_table, constraint_name, row_image, writer_role, writer_claims, waiting_for, waits_for_event,
    verdict, sqlstate, message, hint, failed_constraint, failed_column
from moved
