-- Takes a run for this session, or says that another one has it. Two keys: pgmend's repairs, and the run.
select pg_try_advisory_lock(1885826669, $1)
