"""One page of a listing of events or dead letters, as a table or as one JSON object, and where the next page begins."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from worker.commands.columns import columns
from worker.commands.opening import as_json
from worker.commands.saying import say


@dataclass(frozen=True, slots=True)
class Listing:
    """How the rows are shown. ``name``: of the list in JSON; ``nothing``: what is said of an empty page."""

    name: str
    headings: Sequence[str]
    row: Callable[[Any], tuple[object, ...]]
    nothing: str


def print_page(listing: Listing, found: Sequence[Any], *, limit: int, as_object: bool) -> None:
    """Print ``limit`` of what was found; whoever asks for a page reads one more, which tells that there are more."""
    shown, is_more = found[:limit], len(found) > limit
    if as_object:
        print(as_json({listing.name: [asdict(one) for one in shown], "is_more": is_more}))
    elif not shown:
        print(listing.nothing)
    else:
        say(columns(listing.headings, map(listing.row, shown)))
        if is_more:
            print(f"there are more: --before {shown[-1].event_id}")
