-- Detaches one source. Locks its users table and the tables of its guards (AccessExclusive, for an instant).
select pgmend.detach_source($1, $2)
