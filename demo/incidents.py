"""What happens in the middle of the storm: an admin appears, the workers are killed, and start again."""

import random
from dataclasses import dataclass

from demo.acts import SIGN_UP
from demo.ledger import Ledger
from demo.plan import new_key
from demo.storm import Storm
from demo.view import View
from demo.workers import Workers
from worker.store.connection import Target, close, connect

MAKE_ADMIN = """\
insert into public.profiles (id, name, is_admin, is_online) values ($1, 'Admin', true, true)
on conflict (id) do update set name = excluded.name, is_admin = true, is_online = true"""


@dataclass(frozen=True, slots=True)
class Timing:
    """When things happen, as shares of the storm that have passed."""

    admin: float
    kill: float
    restart: float

    @classmethod
    def choose(cls, rng: random.Random) -> "Timing":
        """Choose moments around the middle; the admin may appear while no worker lives."""
        kill = rng.uniform(0.4, 0.6)
        return cls(rng.uniform(0.3, 0.65), kill, kill + rng.uniform(0.03, 0.12))


async def admin_appears(storm: Storm, share: float, target: Target, ledger: Ledger, view: View) -> None:
    """Sign up one more user and make an admin of them; every conversation had to wait for this."""
    await storm.reached(share)
    key = new_key(random.Random(share))
    connection = await connect(target)
    try:
        await connection.execute(SIGN_UP, key, "admin@example.org", "Admin", None)
        await connection.execute(MAKE_ADMIN, key)
    finally:
        await close(connection)
    ledger.people[key] = "whole"
    view.event(f"an admin appeared after {share:.0%}; conversations had waited until then")


async def workers_are_killed(storm: Storm, timing: Timing, workers: Workers, view: View) -> None:
    """Kill all workers in the middle of their work, let the storm go on without any, and start them again."""
    await storm.reached(timing.kill)
    workers.require_alive()
    killed = await workers.kill()
    view.event(f"kill -9 {' '.join(map(str, killed))} after {timing.kill:.0%} of the storm")
    await storm.reached(timing.restart)
    await workers.start()
    view.event(f"started again after {timing.restart:.0%}: {' '.join(map(str, workers.pids))}")
