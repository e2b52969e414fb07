-- The text that guards the key $2 of the table $1 in the mode $3. ShareRowExclusive on the table.
select format('select pgmend.guard(%L, %L, mode => %L)', $1::text, $2::text, $3::text) as text
