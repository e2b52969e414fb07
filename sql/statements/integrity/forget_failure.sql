-- Forgets what source $1 failed with.
delete from pgmend.source_failures
where source_id = $1
