-- The process that serves this transaction: behind a transaction pooler it changes from one to the next.
select pg_backend_pid()
