-- Whether the captured row stands in its table already, as far as its writer can see.
select pgmend.replay_as($4, $5, $1::oid::regclass, $2, $3::jsonb, true)
