-- Restores the last batch of a repair below $2 in one transaction; of key $3 or table $4 only, where they are not null.
select batch.batch, batch.restored, batch.refused
from pgmend.restore_batch($1, $2, $3, $4::text::regclass, $5) as batch
