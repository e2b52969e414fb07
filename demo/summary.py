"""The figures in words, the same for both views."""

from demo.figures import Waited
from demo.result import Result


def lines(result: Result) -> list[tuple[str, str]]:
    """Return the lines below the invariants, each a name and a text."""
    figures = result.figures
    rate = f"{figures.sign_ups:,} in {figures.storm_seconds:.1f} s = {figures.sign_ups_per_second:,.0f}/s"
    found = [
        ("time to integrity", f"{_waited(figures.healing)}, from sign-up to profile"),
        ("time to replay", f"{_waited(figures.replay)}, from captured insert to row"),
        ("measured", f"{figures.measured_by}, the time without workers included"),
        ("sign-ups", f"{rate}, beside all else that the clients did"),
        ("verdicts", ", ".join(f"{events:,} {verdict}" for verdict, events in figures.verdicts.items())),
    ]
    if result.left_over is not None:
        found.append(("left over", result.left_over))
    return found


def conclusion(result: Result) -> str:
    """Return the last sentence."""
    again = f"play it again with --seed {result.seed}"
    if result.holds:
        return f"Every invariant holds after {result.seconds:.1f} s; {again}"
    broken = sum(not verdict.holds for verdict in result.verdicts)
    late = "" if result.left_over is None else ", integrity was not reached in time"
    return f"{broken} of {len(result.verdicts)} invariants do not hold{late}; {again}"


def _waited(waited: Waited) -> str:
    if waited.p50 is None or waited.p99 is None or waited.longest is None:
        return "none waited"
    return f"p50 {waited.p50:,.0f} ms, p99 {waited.p99:,.0f} ms, longest {waited.longest:,.0f} ms"
