-- Lets captured rows go that nobody has settled in time, at most $1 of those that wait and of those that are dead letters.
select pgmend.expire_captured_rows($1)
