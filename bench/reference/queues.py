"""The same work as tasks of two queue libraries, through their public interface: one job a user, one statement a job.

Settings as their documentation advises for throughput: jobs fetched in batches and run concurrently, done jobs deleted, no
listening while draining. Each worker runs in this process, its tasks on a pool of asyncpg connections.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import asyncpg
import procrastinate
from pgqueuer import AsyncpgPoolDriver, Job, PgQueuer, Queries
from pgqueuer.types import QueueExecutionMode

STATEMENT = (Path(__file__).parent / "one_user.sql").read_text(encoding="utf-8")
CONNECTIONS = 10
BATCH = 250
"""Jobs that pgqueuer fetches at once; 100 to 1,000 measured alike."""
CONCURRENCY = 5
"""Jobs that procrastinate runs at once; 5 to 10 measured fastest."""


async def drain_with_pgqueuer(url: str, user_keys: Sequence[str]) -> float:
    """Enqueue a job for every user, then return the seconds that a worker takes to empty the queue."""
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        driver = AsyncpgPoolDriver(pool)
        queries = Queries(driver)
        await queries.install()
        count = len(user_keys)
        await queries.enqueue(["heal"] * count, [key.encode() for key in user_keys], [0] * count)
        queue = PgQueuer(driver)

        @queue.entrypoint("heal")  # type: ignore[untyped-decorator, unused-ignore]
        async def heal(job: Job) -> None:
            await pool.execute(STATEMENT, job.payload.decode())

        started = time.perf_counter()
        await queue.run(dequeue_timeout=timedelta(seconds=1), batch_size=BATCH, mode=QueueExecutionMode.drain)
        return time.perf_counter() - started


async def drain_with_procrastinate(url: str, user_keys: Sequence[str]) -> float:
    """Defer a job for every user, then return the seconds that a worker takes to empty the queue."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool, app.open_async():
        await app.schema_manager.apply_schema_async()

        @app.task(name="heal")  # type: ignore[untyped-decorator, unused-ignore]
        async def heal(user_key: str) -> None:
            await pool.execute(STATEMENT, user_key)

        await heal.batch_defer_async(*({"user_key": key} for key in user_keys))
        started = time.perf_counter()
        await app.run_worker_async(
            concurrency=CONCURRENCY,
            wait=False,
            listen_notify=False,
            delete_jobs="always",
            install_signal_handlers=False,
        )
        return time.perf_counter() - started
