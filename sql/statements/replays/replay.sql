-- Runs one captured insert again as its writer.
select pgmend.replay_as($4, $5, $1::oid::regclass, $2, $3::jsonb, false)
