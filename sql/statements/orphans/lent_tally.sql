-- The orphans of a foreign key ($2) of a table ($1), by reason, counted with the rights of whoever installed pgmend.
select tallied.reason, tallied.orphans, tallied.keys
from pg_catalog.pg_constraint as foreign_key
cross join lateral pgmend.tally_orphans(foreign_key.oid) as tallied
where foreign_key.conrelid::regclass::text = $1 and foreign_key.conname = $2 and foreign_key.contype = 'f'
