-- Makes one user's profile exist, locking the users row: healed, already_whole or not_healed. Raises what the recipe raises.
select pgmend.heal_user($1, $2)
