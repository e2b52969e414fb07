-- Forgets the foreign keys of references that are not among those of today ($1).
delete from pgmend.reference_keys
where reference <> all($1::text[])
