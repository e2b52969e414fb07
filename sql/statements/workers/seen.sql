-- Renews this worker's row. $6: after how many seconds without another sign it is to be taken for dead.
insert into pgmend.workers (worker_id, host, pid, version, listening, silent_after)
values ($1, $2, $3, $4, $5, make_interval(secs => $6::float8))
on conflict (worker_id)
do update set seen_at = clock_timestamp(), listening = excluded.listening, silent_after = excluded.silent_after
