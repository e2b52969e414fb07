-- Dead letters, newest event first: at most $6 with ids below $5, of those that fit what is given ($1 ids, $2 verdict,
-- $3 constraint, $4 user). What a captured row holds is not read.
select
    letter.event_id, letter.source_id, letter.kind, letter.user_key, letter.verdict, letter.message, letter.hint,
    letter.attempts, letter.created_at, letter.dead_at, letter.sqlstate, letter.failed_constraint, letter.failed_column,
    nullif(letter.correlation_id, '') as correlation_id, letter.referencing_table::text as referencing_table,
    letter.constraint_name, letter.writer_role, letter.waits_for_event
from pgmend.dead_letters as letter
where
    ($1::bigint[] = '{}' or letter.event_id = any($1))
    and ($2::text is null or letter.verdict = $2)
    and ($3::text is null or letter.failed_constraint = $3)
    and ($4::text is null or letter.user_key = $4)
    and letter.event_id < coalesce($5::bigint, 9223372036854775807)
order by letter.event_id desc
limit $6
