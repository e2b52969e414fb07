-- Renews this worker's row.
insert into pgmend.workers (worker_id, host, pid, version, listening)
values ($1, $2, $3, $4, $5)
on conflict (worker_id) do update set seen_at = clock_timestamp(), listening = excluded.listening
