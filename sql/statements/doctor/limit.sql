-- Sets what holds for one look of the doctor: short limits in milliseconds, names printed with their schema, no bell rung.
select
    set_config('statement_timeout', $1, true),
    set_config('lock_timeout', $2, true),
    set_config('pgmend.silent', 'on', true),
    set_config('enable_seqscan', 'on', true),
    set_config('search_path', 'pg_catalog, pg_temp', true)
