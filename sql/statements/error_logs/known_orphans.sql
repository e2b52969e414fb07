-- The number of orphans of a reference ($2) that the audit named last, under an error type ($1). Entries that name no user are
-- few, and the index by user finds them.
select (entry.details ->> 'orphans')::bigint as orphans
from pgmend.audit_entries as entry
where entry.user_id is null and entry.error_type = $1 and entry.details ->> 'reference' = $2
order by entry.created_at desc
limit 1
