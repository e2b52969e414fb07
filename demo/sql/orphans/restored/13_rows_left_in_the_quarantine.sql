-- Rows that the restore did not bring back.
select
    count(*) filter (where quarantined.restored_at is null) as found,
    count(*) as checked
from pgmend.quarantine as quarantined
