"""A worker without the second look: after it has cleared the lease it drains once, and sleeps. A test has to catch it."""

import sys

from worker import pipeline
from worker.__main__ import main
from worker.runtime.consumer import Consumer


async def _look_once(self: Consumer, path: pipeline.Path, mark: int) -> float | None:
    del mark
    return await self._drain(path)


if __name__ == "__main__":
    Consumer._look_until_quiet = _look_once  # type: ignore[method-assign]
    sys.exit(main(["run"]))
