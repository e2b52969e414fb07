"""pgbench: writers that run one script as fast as they can."""

import asyncio
import re
import shutil
from pathlib import Path

from bench.laboratory import Laboratory


def command(laboratory: Laboratory, *, writers: int, script: Path) -> list[str]:
    """Return the command line, to which the database's address is to be added."""
    own_version = laboratory.program("pgbench")
    program = str(own_version) if own_version.exists() else shutil.which("pgbench")
    if program is None:
        raise RuntimeError("there is no pgbench: install Postgres' client programs")
    seconds = laboratory.size(2, 1)
    threads = min(writers, 2)
    return [program, "-n", "-M", "prepared", "-c", str(writers), "-j", str(threads), "-T", str(seconds), "-f", str(script)]


async def rate(arguments: list[str]) -> float:
    """Run it and return its transactions a second."""
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    output = (await process.communicate())[0].decode()
    found = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    if process.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {output.strip()}")
    return float(found[1])
