"""Under which account the server runs, and that it does not outlive the process that started it."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from worker.embedded.errors import StartError


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system account; `lower` says that it is not the caller's own."""

    uid: int
    gid: int
    lower: bool


def server_account() -> Account:
    """Postgres refuses to run as root: take `nobody` then, and the caller's own account otherwise."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), lower=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(65534, 65534, lower=True)
    return Account(nobody.pw_uid, nobody.pw_gid, lower=True)


def prefix(account: Account) -> list[str]:
    """Words before a command that make it run as that account, and end when the calling *thread* ends.

    A server that is interrupted so shuts down cleanly, even after kill -9 of the caller. Without a setpriv that can do
    it (macOS, busybox) an ordinary user's server starts all the same, and is left running by kill -9.
    """
    setpriv = setpriv_program()
    if setpriv is None and account.lower:
        raise StartError(
            "Postgres refuses to run as root, and there is no setpriv to give up root's rights with",
            hint="run as an ordinary user, or install util-linux",
        )
    words = [setpriv, "--pdeathsig=INT"] if setpriv else []
    if account.lower:
        words += [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    return words


@cache
def setpriv_program() -> str | None:
    """Find a setpriv that knows --pdeathsig."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return None
    trial = subprocess.run([setpriv, "--pdeathsig=INT", "true"], check=False, capture_output=True)
    return setpriv if trial.returncode == 0 else None


def can_run(account: Account, program: Path) -> bool:
    """Try whether that account reaches the program: a folder above it may be closed.

    `env` starts it, because setpriv itself still finds every path with root's rights.
    """
    command = [*prefix(account), "env", str(program), "--version"]
    return subprocess.run(command, check=False, capture_output=True, cwd="/").returncode == 0
