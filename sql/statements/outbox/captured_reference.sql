-- The captured row that a captured row refers to through a foreign key ($3), where there is one: its event's id.
select violation.waits_for_event
from pgmend.violation($1::text::regclass, $2::jsonb, $3) as violation
