-- How many rows of a repair are in the quarantine, or no row where there is no such repair.
select (
    select count(*)
    from pgmend.repair_batches as written
    inner join pgmend.quarantine as kept
        on written.batch = kept.batch and kept.quarantine_id between written.first_id and written.last_id
    where written.repair_id = repair.repair_id and kept.restored_at is null
)
from pgmend.repairs as repair
where repair.repair_id = $1
