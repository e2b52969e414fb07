"""The result of the story: everything that is reported at the end, for people and as one JSON object."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from demo.invariants import Verdict
from demo.orphans.ran import Ran
from demo.orphans.shop import Shop
from worker.core.wording import counted


@dataclass(frozen=True, slots=True)
class TableSums:
    """The rows and checksums of one table, before anything was repaired and now: of the rows that were no orphans, and of all."""

    table: str
    rows: int
    others: int
    others_before: str
    others_now: str
    all_before: str
    all_now: str


@dataclass(frozen=True, slots=True)
class Result:
    """How it came out. Times in seconds; ``times``: of each act. ``repaired``, ``restored``: the tables at those moments."""

    seed: int
    server: str
    shop: Shop
    seconds: float
    times: dict[str, float]
    verdicts: Sequence[Verdict]
    repaired: Sequence[TableSums]
    restored: Sequence[TableSums]
    commands: Sequence[Ran]
    application: dict[str, int]

    @property
    def holds(self) -> bool:
        """Return whether every invariant holds."""
        return all(verdict.holds for verdict in self.verdicts)

    def as_json(self) -> dict[str, object]:
        """Return the figures under the names that ``--json`` promises."""
        return {
            "holds": self.holds,
            "seed": self.seed,
            "server": self.server,
            "seconds": round(self.seconds, 2),
            "rows": self.shop.rows,
            "orphans": self.shop.orphans,
            "orphans_by_reason": self.shop.reasons,
            "messages_along": self.shop.along,
            "seconds_by_act": {name: round(seconds, 2) for name, seconds in self.times.items()},
            "application": self.application,
            "tables_repaired": [asdict(table) for table in self.repaired],
            "tables_restored": [asdict(table) for table in self.restored],
            "commands": [{"command": ran.command, "expected": ran.expected, "status": ran.status} for ran in self.commands],
            "invariants": [verdict.as_json() for verdict in self.verdicts],
        }


def figures(result: Result) -> list[tuple[str, str]]:
    """Return the lines below the invariants, each a name and a text."""
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in result.shop.reasons.items())
    live = result.application
    fared = f"{live['statements']:,} statements beside it, {counted(live['errors'], 'error')}"
    along = f"{result.shop.along:,} messages along with them"
    return [
        ("orphans", f"{result.shop.orphans:,} in {result.shop.rows:,} rows: {reasons}; {along}"),
        ("seconds", ", ".join(f"{name} {seconds:.1f}" for name, seconds in result.times.items())),
        ("application", f"{fared}, {live['own_errors']:,} provoked by itself; the slowest took {live['slowest_ms']:,} ms"),
    ]


def conclusion(result: Result) -> str:
    """Return the last sentence."""
    again = f"play it again with --orphans --seed {result.seed}"
    if result.holds:
        return f"Every invariant holds after {result.seconds:.1f} s; {again}"
    broken = sum(not verdict.holds for verdict in result.verdicts)
    return f"{broken} of {len(result.verdicts)} invariants do not hold; {again}"
