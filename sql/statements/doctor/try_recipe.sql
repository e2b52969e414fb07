-- Heals one user; the doctor rolls it back. Raises what the profiles table says.
select pgmend.heal_user($1, $2)
