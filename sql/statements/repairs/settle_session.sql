-- Settles the session of a repair: full names, no row hidden in silence, plans and memory for large tables, and a lock timeout
-- of $1 milliseconds.
select
    set_config('search_path', 'pg_catalog, pg_temp', false),
    set_config('row_security', 'off', false),
    set_config('enable_seqscan', 'on', false),
    set_config('work_mem', (greatest(pg_size_bytes(current_setting('work_mem')), pg_size_bytes('64MB')) / 1024)::text, false),
    set_config('lock_timeout', $1::text, false)
