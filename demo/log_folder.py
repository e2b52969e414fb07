"""The folder of the workers' logs: gone afterwards, unless somebody may want to read them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.errors import WorkerError, first_of


@dataclass(slots=True)
class LogFolder:
    """A temporary folder; ``keep`` makes it stay."""

    path: Path
    keep: bool = False


@contextmanager
def log_folder() -> Iterator[LogFolder]:
    """Yield a new folder, and remove it afterwards unless it is kept or a worker has failed."""
    folder = LogFolder(Path(tempfile.mkdtemp(prefix="pgmend-demo-")))
    try:
        yield folder
    except Exception as error:
        folder.keep = isinstance(first_of(error), WorkerError)
        raise
    finally:
        if not folder.keep:
            shutil.rmtree(folder.path, ignore_errors=True)
