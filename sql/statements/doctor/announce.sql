-- Announces up to $2 users of source $1 without profile, as the sweep does. The doctor rolls it back.
select pgmend.sweep_users($1, $2)
