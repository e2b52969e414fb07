-- Forgets the failures of all sources but these ($1).
delete from pgmend.source_failures as failure
where failure.source_id <> all($1::integer[])
