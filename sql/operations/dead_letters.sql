-- For a person with psql: what lies there and why, newest first; then send back what can be mended, and let go what cannot.
select
    letter.event_id, letter.verdict, letter.kind, letter.user_key, letter.referencing_table, letter.constraint_name,
    letter.failed_constraint, letter.failed_column, letter.sqlstate, letter.message, letter.hint, letter.attempts, letter.dead_at
from pgmend.dead_letters as letter
order by letter.dead_at desc
limit 100;

-- select pgmend.requeue(array_agg(event_id)) from pgmend.dead_letters where verdict = 'needs_recipe';
-- select pgmend.requeue(array_agg(event_id)) from pgmend.dead_letters where failed_constraint = 'profiles_name_is_short';
-- select pgmend.discard(array_agg(event_id)) from pgmend.dead_letters where verdict = 'unknown_user';
