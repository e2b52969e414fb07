-- Lets one worker at a time write down how many orphans there are, until the transaction ends.
select pg_advisory_xact_lock(hashtextextended('pgmend.orphans', 0))
