-- Those of the keys $3 under which there is no row in column $2 of table $1.
select pgmend.keys_without_row($1::text::regclass, $2, $3) as keys
