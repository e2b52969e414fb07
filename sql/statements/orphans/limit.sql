-- Sets what holds for one question, until its transaction ends: limits in milliseconds, names printed with their schema, whole
-- tables read as such, and an error instead of an answer where row-level security would hide rows: an absent row must be absent.
select
    set_config('statement_timeout', $1, true),
    set_config('lock_timeout', $2, true),
    set_config('row_security', 'off', true),
    set_config('enable_seqscan', 'on', true),
    set_config('work_mem', (greatest(pg_size_bytes(current_setting('work_mem')), pg_size_bytes('64MB')) / 1024)::text, true),
    set_config('search_path', 'pg_catalog, pg_temp', true)
