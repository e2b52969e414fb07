-- The text that validates the key $2 of the table $1. ShareUpdateExclusive there, RowShare on the referenced table.
select format('alter table %s validate constraint %I', $1::text, $2::text) as text
