-- Tables that a repair of these would touch and whose rows row-level security would hide.
select hidden.relation::text from pgmend.hidden_tables($1::text[]::regclass[]) as hidden (relation)
order by hidden.relation::text
