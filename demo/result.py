"""The result: everything that is reported at the end, for people and as one JSON object."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from demo.figures import Figures
from demo.invariants import Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """How it came out. ``left_over`` says what kept the outbox from becoming empty in time."""

    seed: int
    server: str
    seconds: float
    verdicts: Sequence[Verdict]
    figures: Figures
    left_over: str | None = None

    @property
    def holds(self) -> bool:
        """Return whether every invariant holds, and integrity was reached in time."""
        return self.left_over is None and all(verdict.holds for verdict in self.verdicts)

    def as_json(self) -> dict[str, object]:
        """Return the figures under the names that ``--json`` promises; times in milliseconds unless they say seconds."""
        figures = self.figures
        return {
            "holds": self.holds,
            "seed": self.seed,
            "server": self.server,
            "seconds": round(self.seconds, 2),
            "sign_ups": figures.sign_ups,
            "storm_seconds": round(figures.storm_seconds, 2),
            "sign_ups_per_second": round(figures.sign_ups_per_second, 1),
            "time_to_integrity_ms": asdict(figures.healing),
            "time_to_replay_ms": asdict(figures.replay),
            "times_measured_by": figures.measured_by,
            "verdicts": figures.verdicts,
            "left_over": self.left_over,
            "invariants": [verdict.as_json() for verdict in self.verdicts],
        }
