-- Begins a run.
insert into pgmend.repairs (plan, audit, search_path) values ($1::jsonb, $2, $3) returning repair_id
