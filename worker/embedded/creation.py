"""Create the data of a private server: initdb, and the settings on top of it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from worker.embedded.account import Account, prefix
from worker.embedded.binaries import Binaries
from worker.embedded.errors import StartError
from worker.embedded.workspace import Workspace

BUILTIN_LOCALES_SINCE = 17
CLEAN_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
"""None of the caller's PG* variables, library paths or locales reach the server."""

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For data that nobody will miss."""


def create_data(binaries: Binaries, workspace: Workspace, account: Account, password: str) -> None:
    """Run initdb: no password on the unix socket, whose folder is closed, and one for connections over TCP."""
    password_file = write_private(workspace.root / "password", password, account)
    errors = ""
    for locale in locales(binaries.major):
        command = [
            *(*prefix(account), binaries.program("initdb"), "-D", str(workspace.data), "-U", "postgres"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password_file}"),
            *("--no-sync", "--no-instructions", "--encoding=UTF8", *locale),
        ]
        ended = run(command, workspace)
        if ended.returncode == 0:
            password_file.unlink()
            return
        errors = ended.stdout.strip()
    raise StartError("initdb could not create the private server's data", detail=errors, hint=disk_hint(workspace))


def locales(major: int) -> list[list[str]]:
    """Give the locale options to try: C.UTF-8 built in since 17, of the system before, where that has it."""
    if major >= BUILTIN_LOCALES_SINCE:
        return [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    return [["--locale=C.UTF-8"], ["--locale=C"]]


def write_private(path: Path, text: str, account: Account) -> Path:
    """Write a file that only the server's account and root can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        os.fchown(file.fileno(), account.uid, account.gid)
    return path


def run(command: list[str], workspace: Workspace) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its output and errors together."""
    return subprocess.run(
        command,
        check=False,
        cwd=workspace.root,
        env=CLEAN_ENVIRONMENT,
        pass_fds=(workspace.lock,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def disk_hint(workspace: Workspace) -> str:
    """Name what most often keeps a server from being created."""
    return f"is there room, and may programs run, below {workspace.root.parent}?"


def write_settings(workspace: Workspace, settings: Mapping[str, str]) -> None:
    """Write the server's settings; ALTER SYSTEM still takes precedence over them."""
    lines = [f"include '{workspace.data}/postgresql.conf'"]
    lines += [f"{name} = '{quoted(value)}'" for name, value in settings.items()]
    workspace.config.write_text("\n".join(lines) + "\n")
    workspace.config.chmod(0o644)


def quoted(value: str) -> str:
    """Escape a value for the configuration file."""
    return value.replace("\\", "\\\\").replace("'", "''")
