-- How many rows of a repair are in the quarantine, or no row where there is no such repair.
select (
    select count(*)
    from pgmend.repaired_rows as kept
    where kept.repair_id = repair.repair_id and kept.restored_at is null
)
from pgmend.repairs as repair
where repair.repair_id = $1
