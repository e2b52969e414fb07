-- Runs one captured insert again as its writer.
select pgmend.replay_insert($1::text::regclass, $2, $3::jsonb, $4, $5)
