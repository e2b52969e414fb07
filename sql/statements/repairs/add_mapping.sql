-- Writes down what a step puts in the place of which key.
insert into pgmend.repair_map (step_id, old_key, new_key)
select $1::integer, given.old_key, given.new_key from unnest($2::text[], $3::text[]) as given (old_key, new_key)
