"""Forms that change something: read within limits, and obeyed only where they are ours, fresh, and from this very page."""

from dataclasses import dataclass

from aiohttp import web

from worker.web.page.gate import Gate, Session
from worker.web.page.origin import is_own_origin
from worker.web.page.page import Page, Refusal

_MOST_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that came from a page of this host."""

    fields: dict[str, str]

    @classmethod
    async def read(cls, request: web.Request) -> "Form":
        """Read the form, or raise Refusal: another site sent it, it is too long, or no form at all."""
        if not is_own_origin(request.headers):
            raise Refusal(403, "Not from here", "This form was not sent by a page of this host, so nothing was done.")
        if not _is_form(request):
            raise Refusal(400, "Not a form", "What was sent is not one of this page's forms, so nothing was done.")
        posted = await request.post()
        return cls({name: value for name, value in posted.items() if isinstance(value, str)})

    def field(self, name: str) -> str:
        """Return a field, empty where it is missing."""
        return self.fields.get(name, "")

    def require_fresh(self, gate: Gate, action: str, session: Session | None) -> None:
        """Raise Refusal unless the form is ours, for this action and person, and is sent for the first time."""
        if not gate.accepts(self.field("form"), action, session):
            raise Refusal(
                409,
                "This form has been used",
                "It was sent before, or is too old, so nothing was done. Open the page again and look first.",
            )


def _is_form(request: web.Request) -> bool:
    """Return whether the body is what a browser sends for a form of ours, as it stands: neither compressed nor in other signs."""
    return (
        request.content_type == "application/x-www-form-urlencoded"
        and (request.charset or "utf-8").lower() == "utf-8"
        and "Content-Encoding" not in request.headers
        and (request.content_length or _MOST_BYTES + 1) <= _MOST_BYTES
    )


def require_gate(page: Page) -> Gate:
    """Return the gate; routes that need it do not exist without one."""
    assert page.gate is not None
    return page.gate


def require_session(page: Page, request: web.Request) -> Session:
    """Return who has signed in, or raise Refusal."""
    session = page.viewer(request).session
    if session is None:
        raise Refusal(403, "Sign in first", "Only a signed-in person can do this.", "/sign-in", "Sign in")
    return session
