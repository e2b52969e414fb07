"""Dead letters as text: a row of a list, one in full, and what a rehearsal found."""

from collections.abc import Iterator

from worker.commands.columns import moment
from worker.commands.story_view import payload_lines
from worker.core.dead_letter import DeadLetter
from worker.core.raised import named
from worker.core.rehearsal import Rehearsal

COMES_BACK = "comes back with the next sweep while the user is eligible and has no profile"


def row(letter: DeadLetter) -> tuple[object, ...]:
    """Return the cells of a letter in a list."""
    return (
        letter.event_id,
        letter.verdict,
        letter.kind,
        letter.user_key,
        letter.referencing_table,
        letter.failed_constraint,
        letter.sqlstate,
        letter.dead_at,
        letter.message,
    )


def letter_lines(letter: DeadLetter, *, with_payload: bool) -> Iterator[str]:
    """Yield one letter in full; the captured row only where it is asked for."""
    facts = {
        "event": f"{letter.event_id} ({letter.kind}, source {letter.source_id})",
        "user": letter.user_key,
        "verdict": letter.verdict,
        "refused by": _refused_by(letter),
        "message": letter.message,
        "hint": letter.hint,
        "triggers": named(letter.triggers) if letter.is_nameless else None,
        "captured": _captured(letter),
        "written": f"{moment(letter.created_at)} UTC",
        "dead since": f"{moment(letter.dead_at)} UTC, after {letter.attempts} attempts",
        "correlation": letter.correlation_id,
    }
    for name, value in facts.items():
        if value:
            yield f"{name:<12}{value}"
    if with_payload:
        yield from payload_lines(letter.payload)


def discarded_lines(discarded: int, sign_ups: int, *, would: bool) -> Iterator[str]:
    """Yield how many went, and what becomes of the sign-ups among them."""
    nothing = "" if discarded else ": no dead letter fits"
    yield f"{'would discard' if would else 'discarded'} {discarded:,}{nothing}"
    if sign_ups:
        yield f"{sign_ups:,} of them a sign-up, which {COMES_BACK}"
        yield "-> leave the letter where it lies, where the sweep passes it over; or let eligible_when exclude the user"


def rehearsal_lines(letter: DeadLetter, rehearsal: Rehearsal) -> Iterator[str]:
    """Yield what handling the letter again would come to, and the next obstacle."""
    yield f"event {letter.event_id} of user {letter.user_key}: {rehearsal.said}"
    yield from (f"    {line}" for line in obstacle_lines(rehearsal))


def obstacle_lines(rehearsal: Rehearsal) -> Iterator[str]:
    """Yield the next obstacle, if there is one: what refuses it, and what would help."""
    failure = rehearsal.failure
    if failure is not None:
        where = f", constraint {failure.constraint}" if failure.constraint else ""
        column = f", column {failure.column}" if failure.column else ""
        yield f"SQLSTATE {failure.sqlstate}{where}{column}: {failure.message}"
    if rehearsal.hint:
        yield rehearsal.hint


def _refused_by(letter: DeadLetter) -> str:
    parts = (letter.sqlstate, letter.failed_constraint, letter.failed_column and f"column {letter.failed_column}")
    return ", ".join(part for part in parts if part)


def _captured(letter: DeadLetter) -> str | None:
    if letter.referencing_table is None:
        return None
    key = letter.constraint_name or "no key of its own"
    return f"a row of {letter.referencing_table}, written as {letter.writer_role}, on {key}"
