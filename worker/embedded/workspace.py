"""The folder of one private server, and a lock that tells a live one from a leftover.

The lock is held through an open file that the server inherits: as long as the starter or any process of the server
lives, it is taken. Nobody's process id is ever looked at, because ids are used again.
"""

import fcntl
import os
import shutil
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from worker.embedded.account import Account
from worker.embedded.errors import StartError

PREFIX = "pgmend-pg-"
LOCK = "lock"
SECONDS_TO_LOCK = 3600
"""A folder without a lock is a leftover only when it is so old that nobody can be about to lock it."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths of one server. The root stays the caller's; data and sockets belong to the server's account."""

    root: Path
    lock: int

    @property
    def data(self) -> Path:
        """The database cluster."""
        return self.root / "data"

    @property
    def sockets(self) -> Path:
        """The folder of the unix socket, closed for others: whoever gets in is trusted."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        """What the server and initdb print."""
        return self.root / "log"

    @property
    def config(self) -> Path:
        """Our settings, on top of those that initdb chose."""
        return self.root / "postgresql.conf"

    def log_tail(self, lines: int = 12) -> str:
        """Give the last lines of the log, for an error text."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def remove(self) -> None:
        """Remove everything and let go of the lock."""
        shutil.rmtree(self.root, ignore_errors=True)
        os.close(self.lock)


def create(account: Account) -> Workspace:
    """Make the folder of a new server, after clearing away what earlier ones left behind."""
    parent = parent_folder()
    clear_leftovers(parent)
    root = Path(mkdtemp(prefix=PREFIX, dir=parent))
    root.chmod(0o711)  # the server's account passes through, and cannot look around
    workspace = Workspace(root, lock_new(root / LOCK))
    for folder in (workspace.data, workspace.sockets):
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
    return workspace


def parent_folder() -> Path:
    """Choose a folder that outlasts a reboot, is no memory disk, and keeps socket paths short."""
    for folder in (Path("/var/tmp"), Path(gettempdir())):  # noqa: S108  made with mkdtemp
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise StartError("neither /var/tmp nor the temporary folder can be written", hint="set TMPDIR to one that can")


def clear_leftovers(parent: Path) -> None:
    """Remove the caller's own folders there whose lock is free: their starter and server are gone."""
    for root in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # taken, another user's, or gone meanwhile
            remove_leftover(root)


def remove_leftover(root: Path) -> None:
    """Remove one folder if nobody uses it; raises OSError if somebody does."""
    facts = root.lstat()
    if facts.st_uid != os.geteuid() or not stat.S_ISDIR(facts.st_mode):
        return
    try:
        lock = os.open(root / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        if time.time() - facts.st_mtime > SECONDS_TO_LOCK:
            shutil.rmtree(root)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(root)
    finally:
        os.close(lock)


def lock_new(path: Path) -> int:
    """Make and take the lock before it has its name, so that no other process ever sees it free."""
    unnamed = path.with_name(f"{path.name}.new")
    lock = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    unnamed.rename(path)
    return lock
