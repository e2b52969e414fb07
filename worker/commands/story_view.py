"""An event's story as text: a line for each moment, in the order of time."""

from collections.abc import Iterator

from worker.commands.columns import columns
from worker.core.payload import Payload
from worker.core.raised import named
from worker.core.story import Moment, Story

_STATES = {
    "pending": "waits in the outbox",
    "dead": "is a dead letter",
    "settled": "is settled",
    "silent": "is gone without an audit entry: nothing was left to do, or its entries have expired",
}


def lines(story: Story) -> Iterator[str]:
    """Yield the lines of a story."""
    whose = f" of user {story.user_key}" if story.user_key else ""
    yield f"event {story.event_id}{whose} {_STATES.get(story.state, story.state)}"
    if story.moments:
        yield from columns(("at (UTC)", "what", "sqlstate", "constraint", ""), map(_row, story.moments))
    if story.letter:
        yield f"hint: {story.letter.hint}"
        if story.letter.is_nameless:
            yield f"triggers: {named(story.letter.triggers)}"


def payload_lines(payload: Payload | None) -> Iterator[str]:
    """Yield the captured row, a line for each column; a value that is null is a dash."""
    if payload is None:
        yield "there is no captured row"
        return
    yield from columns(("column", "value"), payload.row.items())
    yield f"claims: {payload.writer_claims or '-'}"


def _row(moment: Moment) -> tuple[object, ...]:
    entry, failure = moment.entry, moment.failure
    what = entry.error_type if entry else moment.kind
    if entry is not None:
        return (moment.at, what, entry.sqlstate, entry.constraint_name, moment.said)
    return (moment.at, what, failure and failure.sqlstate, failure and failure.constraint, moment.said)
