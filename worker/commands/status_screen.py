"""The status in place on a terminal, drawn anew each time; needs rich, which comes with the extra ``embedded``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.text import Text

from worker.commands.saying import shown
from worker.commands.status_view import lines
from worker.core.status import Status


@contextmanager
def screen() -> Iterator[Callable[[Status], None]]:
    """Yield what draws a status; the last one stays on the terminal."""
    with Live(auto_refresh=False) as live:

        def show(seen: Status) -> None:
            live.update(Text("\n".join(shown(lines(seen))), no_wrap=True, overflow="ellipsis"), refresh=True)

        yield show
