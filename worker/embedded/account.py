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
    if os.geteuid() == 0:
        nobody = entry_of_nobody()
        return Account(nobody.pw_uid, nobody.pw_gid, lower=True)
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise StartError(
            f"Postgres refuses to run as user {os.geteuid()}, who has no entry in the user database",
            hint="run as a user that /etc/passwd knows, or as root",
        ) from None
    return Account(os.geteuid(), os.getegid(), lower=False)


def entry_of_nobody() -> pwd.struct_passwd:
    """Look up the account that owns nothing."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise StartError(
            "Postgres refuses to run as root, and there is no user nobody to run it as",
            hint="run as an ordinary user",
        ) from None


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
