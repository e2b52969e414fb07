-- Whether the captured row stands in its table already, as far as its writer can see.
select pgmend.captured_row_stands($1::text::regclass, $2, $3::jsonb, $4, $5)
