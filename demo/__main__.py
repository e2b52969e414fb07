"""The composition root: options -> server -> stage -> workers -> performance -> report; exit codes as in ``options``."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from demo import invariants
from demo.errors import first_of, one_line
from demo.log_folder import LogFolder, log_folder
from demo.options import Options, parse
from demo.orphans.story import INVARIANTS, tell
from demo.performance import perform
from demo.stage import Stage, server_url, set_up
from demo.view import View, make_view
from demo.workers import Workers, working
from worker.log import redacted

_BROKEN = 1
_NOT_PLAYED = 3
_INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the demo and return the exit status."""
    options = parse(arguments)
    if options.explain:
        print(invariants.explain(*(INVARIANTS if options.orphans else ())), end="")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with log_folder() as folder, server_url(options) as server:
            return asyncio.run(_play(options, server, folder))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("demo: interrupted; everything is stopped and removed", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:
        text = one_line(first_of(error))
        if text is None:
            raise
        print(f"demo: {redacted(text)}", file=sys.stderr)
        return _NOT_PLAYED


async def _play(options: Options, server: str, folder: LogFolder) -> int:
    """Set the stage, play, report, and clear everything away, whatever happens in between."""
    _on_signals(_cancelling())
    async with set_up(server, private=options.database_url is None, keep=options.keep) as stage:
        if options.orphans:
            told = await tell(options, stage, folder.path)
            await _report(options, stage, told)
            return 0 if told.holds else _BROKEN
        view = make_view()
        try:
            return await _play_to(view, options, stage, folder)
        finally:
            view.end()


async def _play_to(view: View, options: Options, stage: Stage, folder: LogFolder) -> int:
    view.begin(f"pgmend demo: {options.users:,} sign-ups on {stage.server}, seed {options.seed}")
    view.phase("stage: installing the schema and the sample application")
    await stage.install(folder.path)
    view.phase(f"workers: starting {options.workers}")
    async with working(Workers(stage.url, folder.path, options.workers)) as workers:
        result = await perform(options, stage, workers, view)
        folder.keep = not result.holds
        view.result(result)
        if folder.keep or options.keep:
            print(f"the workers' logs are in {folder.path}")
        await _report(options, stage, result)
    return 0 if result.holds else _BROKEN


class _Reported(Protocol):
    def as_json(self) -> dict[str, object]: ...


async def _report(options: Options, stage: Stage, result: _Reported) -> None:
    if options.keep:
        print(f"the database stays until Ctrl-C: psql '{redacted(stage.url)}'")
    if options.json:
        print(json.dumps(result.as_json()), flush=True)
    if options.keep:
        sys.stdout.flush()
        stopped = asyncio.Event()
        _on_signals(stopped.set)
        await stopped.wait()


def _cancelling() -> Callable[[], None]:
    """Return what a signal does: cancel the demo once; the clearing away is not disturbed by another."""
    task = asyncio.current_task()
    assert task is not None

    def cancel() -> None:
        _on_signals(lambda: None)
        task.cancel()

    return cancel


def _on_signals(do: Callable[[], None]) -> None:
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, do)


if __name__ == "__main__":
    sys.exit(main())
