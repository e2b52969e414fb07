"""The view for a pipe: plain lines, one for what begins, one for what happens, one every other second in between."""

import time

from demo.result import Result
from demo.sample import Sample
from demo.summary import conclusion, lines

_SECONDS_BETWEEN_SAMPLES = 2.0


class PlainView:
    """Prints lines."""

    def __init__(self) -> None:
        """Begin to count the seconds."""
        self._started = self._sampled = time.monotonic()

    def begin(self, title: str) -> None:
        """Print the title."""
        print(title, flush=True)

    def phase(self, name: str) -> None:
        """Print what begins."""
        self._line(name)

    def event(self, text: str) -> None:
        """Print what happened."""
        self._line(f"  {text}")

    def show(self, sample: Sample) -> None:
        """Print where everything stands, but not too often."""
        if time.monotonic() - self._sampled < _SECONDS_BETWEEN_SAMPLES:
            return
        self._sampled = time.monotonic()
        self._line(
            f"  {sample.signed_up:,} signed up, {sample.healed:,} healed, {sample.replayed:,} replayed, "
            f"{sample.outbox:,} in the outbox, {sample.dead_letters:,} dead letters"
        )

    def end(self) -> None:
        """Nothing goes on by itself."""

    def result(self, result: Result) -> None:
        """Print the invariants as a table, then the figures."""
        width = max(len(verdict.name) for verdict in result.verdicts)
        print(f"\n{'invariant':<{width}}  {'found':>6}  {'expected':>8}  {'ok':<3}  {'among':>7}")
        for verdict in result.verdicts:
            ok = "yes" if verdict.holds else "NO"
            print(f"{verdict.name:<{width}}  {verdict.found:>6,}  {verdict.expected:>8,}  {ok:<3}  {verdict.checked:>7,}")
        print()
        for name, value in lines(result):
            print(f"{name:<18}  {value}")
        print(f"\n{conclusion(result)}", flush=True)

    def _line(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:6.1f} s  {text}", flush=True)
