-- How many orphans a selection finds, and how many keys, by reason.
select counted.reason, counted.row_count, counted.key_count from pgmend.count_orphans($1) as counted
