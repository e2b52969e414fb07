-- Writes events for users of source $1 without a profile whom nothing announced, at most $2; returns how many.
select pgmend.sweep_users($1, $2) as found_users
