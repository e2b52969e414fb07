"""The narrator on a terminal, with rich: what is told stays above, one line below it says what goes on."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from demo.drawing import draw_figures, draw_verdicts
from demo.keyboard import Keyboard
from demo.orphans.narrator import Row, ending, prompted
from demo.orphans.result import Result, conclusion, figures

_REFRESHES_PER_SECOND = 8
_INDENT = (0, 0, 0, 4)


class TerminalNarrator:
    """Tells upwards, and keeps one line alive."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._act, self._doing, self._started = "", "", time.monotonic()
        self._console = Console(highlight=False)
        self._live = Live(
            get_renderable=self._now, console=self._console, refresh_per_second=_REFRESHES_PER_SECOND, transient=True
        )
        self._keyboard = Keyboard()

    def begin(self, title: str) -> None:
        """Print the title, and go live below it."""
        name, _, rest = title.partition(": ")
        self._console.print(f"\n[bold]{name}[/]  [dim]{rest}[/]")
        self._keyboard.silence()
        self._live.start()

    def act(self, name: str) -> None:
        """Print a heading."""
        self._act, self._doing = name.partition(":")[0], ""
        self._print(Text(f"\n{name}\n", "bold cyan"))

    def say(self, text: str) -> None:
        """Print it."""
        self._print(Text(text))

    def command(self, text: str, prompt: str = "$") -> None:
        """Print it after a prompt."""
        typed = prompted(text, prompt).removeprefix(prompt)
        self._print(Text.assemble((prompt, "green"), (typed, "bold")))

    def line(self, text: str) -> None:
        """Print it below the command."""
        self._print(Text(f"  {text}", "dim"))

    def ended(self, left_out: int, status: int) -> None:
        """Print what is worth it."""
        for text in ending(left_out, status):
            self._print(Text(f"  {text}", "yellow"))

    def table(self, rows: Sequence[Row]) -> None:
        """Print it aligned."""
        grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for place, heading in enumerate(rows[0]):
            grid.add_column(heading, justify="right" if place else "left", no_wrap=True)
        for row in rows[1:]:
            grid.add_row(*row)
        self._console.print(Padding(grid, _INDENT))

    def doing(self, text: str) -> None:
        """Show it in the line that lives."""
        self._doing = text

    def end(self) -> None:
        """Take the living line away."""
        self._live.stop()
        self._keyboard.restore()

    def result(self, result: Result) -> None:
        """Print the invariants, the figures and the last sentence."""
        self.end()
        style = "bold green" if result.holds else "bold red"
        last = Text(f"{conclusion(result)}\n", style)
        for part in (draw_verdicts(result.verdicts), draw_figures(figures(result)), last):
            self._console.print()
            self._console.print(part)

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _now(self) -> Text:
        seconds = time.monotonic() - self._started
        return Text.assemble((f"\n● {seconds:5.1f} s  ", "cyan"), (self._act, "bold"), (f"  {self._doing}", "dim"))
