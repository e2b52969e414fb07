"""A backfill as text: how far it is, and what it did."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from worker.commands.saying import brief
from worker.core.backfill import BackfillBatch, BackfillResult
from worker.healing import HealState

SAID: dict[HealState, str] = {
    "healed": "the profile was made",
    "would_be_healed": "the profile would be made",
    "already_whole": "the profile is there",
    "not_healed": "the profile was not made, and no error says why: a trigger or rule drops the row",
    "erased": "the user is erased; nothing is made",
    "not_eligible": "the user is not eligible; nothing is made",
    "unknown_user": "there is no such user",
}

_SAY_EVERY = 100_000

_NAMELESS = {"55P03": "somebody who holds the user or the profile", "PM003": "a trigger or rule that drops the row"}
"""What stands in the way by SQLSTATE, where the database names neither a constraint nor a column."""


def _is_watched() -> bool:
    return sys.stderr.isatty()


@dataclass(slots=True)
class Progress:
    """Says on stderr how far a backfill is: in place on a terminal, else every hundred thousand users, and where to go on."""

    about: int
    """About how many users there are; 0 where nobody knows."""
    is_terminal: bool = field(default_factory=_is_watched)
    _said: int = 0

    def show(self, done: BackfillResult, batch: BackfillBatch) -> None:
        """Tell what was done so far."""
        of = f" of about {self.about:,}" if self.about >= done.looked else ""
        said = f"source {done.source_id}: {done.looked:,}{of} users looked at, {done.healed:,} healed, {done.refused:,} refused"
        if self.is_terminal:
            print(f"\r{said}", end="", file=sys.stderr, flush=True)
        elif done.looked // _SAY_EVERY > self._said:
            self._said = done.looked // _SAY_EVERY
            print(f"{said}; up to {brief(batch.last_key)}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """End the line."""
        if self.is_terminal:
            print(file=sys.stderr)


def _nameless(sqlstate: str) -> str:
    code = "a trigger or function, whose words the server's log has" if sqlstate.startswith("P0") else "no constraint"
    return _NAMELESS.get(sqlstate, code)


def result_lines(result: BackfillResult, *, would: bool) -> Iterator[str]:
    """Yield what a backfill did, and why the database has refused some."""
    healed = f"{result.healed:,} {'would be healed' if would else 'healed'}"
    yield f"source {result.source_id}: {result.looked:,} users looked at, {healed}, {result.refused:,} refused"
    for refusal in result.refusals:
        failure = refusal.failure
        what = failure.constraint or failure.column or _nameless(failure.sqlstate)
        yield f"    {refusal.users:,} by {what}, {failure.sqlstate}: {failure.message}"
