-- Writes audit entries, one for each element of the JSON array.
insert into pgmend.audit_entries (
    error_type, severity, user_id, table_name, constraint_name, sqlstate,
    message, details, attempt, event_id, correlation_id
)
select
    error_type, severity, user_id, table_name, constraint_name, sqlstate,
    message, details, attempt, event_id, correlation_id
from jsonb_to_recordset($1::jsonb) as entry (
    error_type text, severity text, user_id text, table_name text, constraint_name text, sqlstate text,
    message text, details jsonb, attempt integer, event_id bigint, correlation_id text
)
