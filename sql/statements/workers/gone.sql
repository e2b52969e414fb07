-- Removes this worker's row at a graceful stop, and those of workers that died a day ago.
delete from pgmend.workers
where worker_id = $1 or seen_at < clock_timestamp() - interval '1 day'
