-- Rows by which a table and what was taken out of it into the quarantine differ from what the table held.
select
    coalesce(sum(abs(before.all_rows - coalesce(now.all_rows, 0) - kept.kept_rows)), 0)::bigint as found,
    coalesce(sum(before.all_rows), 0)::bigint as checked
from demo.checksums_before as before
left join demo.checksums_now() as now on before.table_name = now.table_name
cross join lateral (
    select count(*) as kept_rows
    from demo.taken() as taken
    where taken.table_name = before.table_name and taken.is_gone
) as kept
