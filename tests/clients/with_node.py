"""node-postgres, in processes of its own; installed from tests/clients/node where Node.js and npm are."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from tests.clients.client import Client

FOLDER = Path(__file__).parent / "node"


def is_present() -> bool:
    """Say whether the machine has Node.js and npm."""
    return bool(shutil.which("node") and shutil.which("npm"))


def install() -> None:
    """Install what the lock names, unless it is there already."""
    locked, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
        npm = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert npm.returncode == 0, npm.stderr


async def _run(call: str, url: str, *, key: str | None = None, row: dict[str, object] | None = None) -> str:
    there = conninfo_to_dict(url)
    connection = {"host": there["host"], "port": there["port"], "user": there["user"], "database": there["dbname"]}
    asked = json.dumps({"call": call, "connection": connection, "key": key, "row": row})
    node = await asyncio.create_subprocess_exec(
        "node", "client.mjs", asked, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    seen, complaint = await node.communicate()
    assert node.returncode == 0, complaint.decode()
    return seen.decode().strip()


NODE = Client(
    name="node-postgres",
    calls={
        "`query`, `returning`": lambda url, key: _run("query", url, key=key),
        "`query` in a transaction": lambda url, key: _run("transaction", url, key=key),
    },
    insert_or_park=lambda url, row: _run("insert_or_park", url, row=row),
    report_failed_insert=lambda url, row: _run("report_failed_insert", url, row=row),
)
