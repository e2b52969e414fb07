-- Dead letters ($1), oldest event first, with what a captured row holds.
select
    letter.event_id, letter.source_id, letter.kind, letter.user_key, letter.verdict, letter.message, letter.hint,
    letter.attempts, letter.created_at, letter.dead_at, letter.sqlstate, letter.failed_constraint, letter.failed_column,
    nullif(letter.correlation_id, '') as correlation_id, letter.referencing_table::text as referencing_table,
    letter.constraint_name, letter.writer_role, letter.waits_for_event,
    letter.row_image::text as row_image, letter.writer_claims
from pgmend.dead_letters as letter
where letter.event_id = any($1::bigint[])
order by letter.event_id
