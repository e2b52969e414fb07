-- Sends dead letters back to the careful lane; returns how many there were.
select pgmend.requeue($1::bigint[])
