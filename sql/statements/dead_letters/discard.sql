-- Lets dead letters go, captured rows included; returns how many there were.
select pgmend.discard($1::bigint[])
