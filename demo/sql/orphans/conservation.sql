-- How many rows there were, how many of them are in their tables now, and how many in the quarantine.
select
    (select sum(before.all_rows) from demo.checksums_before as before)::bigint as rows_before,
    (select count(*) from demo.stored_rows())::bigint as rows_in_tables,
    (
        select count(*) from demo.taken() as taken
        where taken.is_gone
    )::bigint as rows_in_quarantine
