-- Until the end of the transaction: wait so long for a lock ($1) and so long for a statement ($2, both with their unit). Plans
-- may read whole tables, which the worker's connections avoid.
select
    set_config('lock_timeout', $1::text, true) as lock_timeout,
    set_config('statement_timeout', $2::text, true) as statement_timeout,
    set_config('enable_seqscan', 'on', true) as enable_seqscan
