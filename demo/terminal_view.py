"""The view for a terminal, with rich: phases with their durations, live figures below, the result as a table."""

import time
from collections import deque

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from demo.drawing import Phase, draw_figures, draw_phase, draw_sample, draw_verdicts
from demo.keyboard import Keyboard
from demo.result import Result
from demo.sample import Sample
from demo.summary import conclusion, lines

_HISTORY = 48
_REFRESHES_PER_SECOND = 12


class TerminalView:
    """Keeps what is known, and has it drawn again and again."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._console = Console(highlight=False)
        self._live = Live(self, console=self._console, refresh_per_second=_REFRESHES_PER_SECOND)
        self._phases: list[Phase] = []
        self._sample: Sample | None = None
        self._depths: deque[int] = deque(maxlen=_HISTORY)
        self._keyboard = Keyboard()

    def begin(self, title: str) -> None:
        """Print the title, and go live below it."""
        name, _, rest = title.partition(": ")
        self._console.print(f"\n[bold]{name}[/]  [dim]{rest}[/]\n")
        self._keyboard.silence()
        self._live.start()

    def phase(self, name: str) -> None:
        """Tick off the last phase and begin another."""
        self._finish_phase()
        self._phases.append(Phase(name))

    def event(self, text: str) -> None:
        """Write what happened below its phase."""
        self._phases[-1].events.append(text)

    def show(self, sample: Sample) -> None:
        """Take in where everything stands."""
        self._sample = sample
        self._depths.append(sample.outbox)

    def end(self) -> None:
        """Leave the picture standing as it is."""
        self._live.stop()
        self._keyboard.restore()

    def result(self, result: Result) -> None:
        """Print the invariants, the figures and the last sentence."""
        self._finish_phase()
        self.end()
        style = "bold green" if result.holds else "bold red"
        for part in (draw_verdicts(result.verdicts), draw_figures(lines(result)), Text(f"{conclusion(result)}\n", style)):
            self._console.print()
            self._console.print(part)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the phases, and where everything stands below them."""
        for phase in self._phases:
            yield draw_phase(phase)
            yield from (Text(f"           {text}", style="dim") for text in phase.events)
        if self._sample is not None:
            yield Text()
            yield draw_sample(self._sample, self._depths)

    def _finish_phase(self) -> None:
        if self._phases and self._phases[-1].seconds is None:
            self._phases[-1].seconds = time.monotonic() - self._phases[-1].started
