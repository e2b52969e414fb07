"""The command ``pgmend`` as a process of its own, with these settings and none from elsewhere."""

import asyncio
import os
import sys
from pathlib import Path

from demo.errors import StageError
from worker.embedded import account

PGMEND = (sys.executable, "-m", "worker")
_REPOSITORY = Path(__file__).parents[1]


def environment(url: str) -> dict[str, str]:
    """Return an environment in which only the database's address is set for pgmend."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PGMEND_")}
    return clean | {"PGMEND_DATABASE_URL": url, "PGMEND_LOG_FORMAT": "json", "PYTHONPATH": str(_REPOSITORY)}


def ending_with_us() -> list[str]:
    """Return words before a command that end it when the demo itself is killed, where the system can do that."""
    return account.prefix(account.Account(os.geteuid(), os.getegid(), lower=False))


async def pgmend(url: str, *arguments: str, folder: Path) -> str:
    """Run one command to its end and return what it printed. ``folder`` holds no .env that it could read."""
    process = await asyncio.create_subprocess_exec(
        *PGMEND,
        *arguments,
        cwd=folder,
        env=environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        what, _, hint = err.decode().strip().partition(" -> ")
        raise StageError(f"pgmend {arguments[0]} failed: {what}", hint=hint or "the reason stands before")
    return out.decode()
