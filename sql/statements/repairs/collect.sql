-- Looks for the orphans of a step; returns how many there are, up to $2. No row lock.
select pgmend.collect_orphans($1, $2)
