-- A key whose conversation lies in the quarantine, and other rows with it.
select quarantined.old_key
from pgmend.quarantine as quarantined
where quarantined.table_name = 'public.conversations' and quarantined.depth = 0
order by quarantined.quarantine_id
limit 1
