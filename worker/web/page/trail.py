"""The audit, searched by user, event and error type, newest first."""

from aiohttp import web

from worker.core.audit import VOCABULARY
from worker.core.recorded_entry import AuditFilter, Cursor
from worker.store import audit_trail
from worker.web.page.asked import asked_number, asked_text, link
from worker.web.page.page import Page, Refusal
from worker.web.page.rendering import Answer

PAGE_SIZE = 50

_BLOCKS, _OFFSETS = 2**32, 2**16
"""How far the place of a row in a table can go."""


async def show_audit(page: Page, request: web.Request) -> Answer:
    """Show one page of entries."""
    wanted = AuditFilter(
        user_id=asked_text(request, "user"),
        event_id=asked_number(request, "event"),
        error_type=asked_text(request, "type"),
        after=_cursor(asked_text(request, "after")),
    )
    found = await page.reader.ask(lambda connection: audit_trail.search(connection, wanted, limit=PAGE_SIZE))
    following = link(request, after=found.following) if found.following else None
    newest = link(request, after="")
    values = {"entries": found.entries, "wanted": wanted, "following": following, "newest": newest, "types": tuple(VOCABULARY)}
    return Answer("audit.html", values)


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        cursor = Cursor.parse(text)
    except ValueError as error:
        raise _no_such_page() from error
    block, offset = map(int, cursor.place.strip("()").split(","))
    if cursor.at.tzinfo is None or not (0 <= block < _BLOCKS and 0 <= offset < _OFFSETS):
        raise _no_such_page()
    return cursor


def _no_such_page() -> Refusal:
    return Refusal(400, "No such page", "The place in the audit from which to go on is not one.", "/audit", "To the audit")
