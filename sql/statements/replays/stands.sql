-- Whether the captured row stands in its table already.
select pgmend.captured_row_exists($1::text::regclass, $2::jsonb)
