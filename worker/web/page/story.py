"""One event's story, from capture to acknowledge."""

from aiohttp import web

from worker.core.story import Story
from worker.store import stories
from worker.web.page.asked import asked_id
from worker.web.page.page import Page, Refusal
from worker.web.page.rendering import Answer

_STANDING = {
    "pending": "It waits in the outbox.",
    "dead": "It is a dead letter: a person is needed.",
    "settled": "It is settled.",
    "silent": "It is gone without an entry in the audit: nothing was left to do, or its entries have expired.",
}


async def show_story(page: Page, request: web.Request) -> Answer:
    """Show everything that is known of an event, in the order of time."""
    event_id = asked_id(request)
    story = await page.reader.ask(lambda connection: stories.story(connection, event_id))
    if story.state == "unknown":
        raise Refusal(404, "No such event", f"No event {event_id} was ever written.")
    return Answer("event.html", {"story": story, "standing": _STANDING[story.state], "payload": _payload(story)})


def _payload(story: Story) -> object:
    present = story.pending or story.letter
    return present.payload if present else None
