-- Forgets what was counted of references that are not among those of today ($1).
delete from pgmend.orphan_counts
where reference <> all($1::text[])
