-- How many rows would go along with the orphans that selection $1 finds in table $2, for these reasons ($3) and each table;
-- counted for no more than $4 orphans.
select counted.is_counted, counted.reason, counted.referencing_table, counted.referencing_rows
from pgmend.count_along($1, $2::text::regclass, $3, $4) as counted
