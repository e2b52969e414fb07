-- Repairs the next rows of a step in one transaction. Locks the rows it takes, never waiting for one.
select batch.chosen, batch.taken, batch.along, batch.missed, batch.refused from pgmend.repair_batch($1, $2, $3, $4) as batch
