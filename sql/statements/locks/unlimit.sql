-- For what runs outside a transaction: wait as long as it takes.
select
    set_config('lock_timeout', '0', false) as lock_timeout,
    set_config('statement_timeout', '0', false) as statement_timeout,
    set_config('enable_seqscan', 'on', false) as enable_seqscan
