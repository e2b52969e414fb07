"""Dead letters: the list, one of them, and what a signed-in person does with one."""

from dataclasses import dataclass

from aiohttp import web

from worker.core.dead_letter import DeadLetter, LetterFilter
from worker.core.decision import LETTER_VERDICTS
from worker.store import dead_letters
from worker.store.connection import Connection
from worker.web.page.asked import asked_id, asked_number, asked_text, link
from worker.web.page.forms import Form, require_gate, require_session
from worker.web.page.page import Page, Refusal
from worker.web.page.rendering import Answer
from worker.web.page.signing import see_other

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done with a dead letter, and how it is asked about."""

    name: str
    path: str
    title: str
    explanation: str
    button: str
    is_grave: bool


def action(name: str, event_id: int, *, is_sign_up: bool = False) -> Action:
    """Return the action of this name upon one dead letter, which a sweep writes anew where it is a sign-up."""
    path = f"/dead-letters/{event_id}/{name}"
    if name == "requeue":
        explanation = "The event goes back to the careful lane, due now. If nothing has changed since, it will be back here soon."
        return Action(name, path, f"Requeue event {event_id}?", explanation, "Requeue", is_grave=False)
    explanation = "The event goes for good, and a captured row with it. Only the audit will say that it was there."
    button = "Discard" if is_sign_up else "Discard for good"
    if is_sign_up:
        explanation = (
            "The letter goes, and the next sweep announces the user again while they are eligible and have no profile. "
            "Left where it lies, it holds nothing up; eligible_when can exclude the user for good."
        )
    return Action(name, path, f"Discard event {event_id}?", explanation, button, is_grave=True)


async def show_list(page: Page, request: web.Request) -> Answer:
    """Show dead letters, newest first, page by page."""
    wanted = LetterFilter(
        verdict=asked_text(request, "verdict"),
        constraint=asked_text(request, "constraint"),
        user_key=asked_text(request, "user"),
        before=asked_number(request, "before"),
    )
    letters = await page.reader.ask(lambda connection: dead_letters.listed(connection, wanted, limit=PAGE_SIZE + 1))
    shown = letters[:PAGE_SIZE]
    following = link(request, before=shown[-1].event_id) if len(letters) > PAGE_SIZE else None
    newest = link(request, before="")
    values = {"letters": shown, "wanted": wanted, "following": following, "newest": newest, "verdicts": LETTER_VERDICTS}
    return Answer("dead_letters.html", values)


async def show_one(page: Page, request: web.Request) -> Answer:
    """Show one dead letter; what it captured only to who has signed in."""
    return Answer("dead_letter.html", {"letter": await _letter(page, request)})


async def confirm(page: Page, request: web.Request) -> Answer:
    """Ask before anything is done."""
    require_session(page, request)
    letter = await _letter(page, request)
    return Answer(
        "confirm.html",
        {"letter": letter, "action": action(request.match_info["action"], letter.event_id, is_sign_up=letter.is_sign_up)},
    )


async def carry_out(page: Page, request: web.Request) -> web.Response:
    """Requeue or discard one dead letter; the audit entry names the person."""
    gate, session = require_gate(page), require_session(page, request)
    form = await Form.read(request)
    name, event_id = request.match_info["action"], asked_id(request)
    form.require_fresh(gate, action(name, event_id).path, session)

    async def act(connection: Connection) -> int:
        await dead_letters.act_for(connection, session.name)
        return await (dead_letters.requeue if name == "requeue" else dead_letters.discard)(connection, [event_id])

    if not await page.reader.act(act):
        raise Refusal(409, "Nothing to do", f"Event {event_id} is no dead letter any more.", f"/events/{event_id}", "Its story")
    page.log.info("page_action_done", action=name, event_id=event_id, person=session.name, address=request.remote)
    return see_other(f"/events/{event_id}")


async def _letter(page: Page, request: web.Request) -> DeadLetter:
    event_id = asked_id(request)
    letter = await page.reader.ask(lambda connection: dead_letters.one(connection, event_id))
    if letter is None:
        raise Refusal(
            404, "No such dead letter", f"Event {event_id} is not among the dead letters.", f"/events/{event_id}", "Its story"
        )
    return letter
