-- Ends a run, finished or abandoned.
update pgmend.repairs as repair
set state = $2, finished_at = clock_timestamp()
where repair.repair_id = $1 and repair.state = 'running'
