-- Audit entries of one error type, newest first: at most $8, of those that fit what else is given ($1 user, $2 event,
-- $3 error type), from $4 on and before $5, after the entry of time $6 and place $7. By the index by error type and time.
select
    entry.created_at,
    entry.place::text as place,
    entry.error_type,
    entry.severity,
    entry.message,
    entry.user_id,
    entry.table_name,
    entry.constraint_name,
    entry.sqlstate,
    entry.attempt,
    entry.event_id,
    entry.correlation_id,
    entry.details::text as details
from pgmend.audit_entries as entry
where
    ($1::text is null or entry.user_id = $1)
    and ($2::bigint is null or entry.event_id = $2)
    and entry.error_type = $3::text
    and entry.created_at >= coalesce($4, timestamptz '-infinity')
    and entry.created_at < coalesce($5, timestamptz 'infinity')
    and entry.created_at <= coalesce($6, timestamptz 'infinity')
    and (
        $6::timestamptz is null
        or entry.created_at < $6
        or entry.place < $7::text::tid
    )
order by entry.created_at desc, entry.place desc
limit $8
