"""Sign-ups at a steady pace, from a process of their own: ``python -m bench.pacing URL RATE SECONDS``."""

import asyncio
import sys

import asyncpg

SIGN_UP = "insert into public.users (email, full_name, created_at) values ($1, $2, clock_timestamp())"


async def pace(url: str, rate: float, seconds: float) -> None:
    """Sign ``rate`` users a second up for ``seconds``, each in a transaction of its own."""
    connection = await asyncpg.connect(url)
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(started + number / rate - loop.time(), 0))
        await connection.execute(SIGN_UP, f"user{number}@example.org", f"User {number}")
    await connection.close()


if __name__ == "__main__":
    asyncio.run(pace(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
