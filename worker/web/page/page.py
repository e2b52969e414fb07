"""The page as a whole: what its handlers share, and what happens around each of them."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from markupsafe import Markup

from worker.log import Log
from worker.settings import Settings
from worker.store.connection import Target
from worker.web.page.gate import Clock, Gate, Session
from worker.web.page.origin import is_known_host
from worker.web.page.rendering import Answer, plain
from worker.web.reader import Reader, UnavailableError

COOKIE = "pgmend_session"


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What the page needs from the settings. ``names``: host names to answer to, beside localhost and addresses."""

    target: Target
    token: str | None = field(default=None, repr=False)
    names: frozenset[str] = frozenset()
    statement_timeout: float = 2.0
    clock: Clock = time.time


def options_of(settings: Settings) -> PageOptions:
    """Return what the settings say of the page."""
    token = settings.http_token.get_secret_value() if settings.http_token else None
    return PageOptions(
        settings.target, token, settings.page_names | {settings.http_host.lower()}, settings.observe_timeout_seconds
    )


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: nobody in particular, or a signed-in person, who also sees captured rows."""

    session: Session | None
    may_sign_in: bool


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 - an answer, as a 404 is one
    """What the page says in place of what was asked for."""

    status: int
    title: str
    explanation: str
    back: str = "/"
    back_label: str = "To the overview"


@dataclass(frozen=True, slots=True)
class Page:
    """The parts that handlers share. ``gate`` is None where no token is configured."""

    options: PageOptions
    log: Log
    reader: Reader
    gate: Gate | None

    def viewer(self, request: web.Request) -> Viewer:
        """Return who sent this request."""
        if self.gate is None:
            return Viewer(None, may_sign_in=False)
        return Viewer(self.gate.session(request.cookies.get(COOKIE)), may_sign_in=True)

    def handles(self, handler: "Handler") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the handler as the server calls it: hosts are checked before, refusals are shown after."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if not is_known_host(request.headers.get("Host"), self.options.names):
                return plain(421, "The page is not served under this name. -> name it in PGMEND_HTTP_NAMES")
            try:
                answer = await handler(self, request)
            except Refusal as refusal:
                answer = _refused(refusal)
            except UnavailableError as error:
                answer = _refused(Refusal(503, error.what, f"Nothing can be read now: {error.reason}."))
            return self._shown(answer, request) if isinstance(answer, Answer) else answer

        return handle

    def _shown(self, answer: Answer, request: web.Request) -> web.Response:
        viewer = self.viewer(request)

        def form_field(action: str) -> Markup:
            assert self.gate is not None
            return Markup('<input type="hidden" name="form" value="{}">').format(self.gate.form(action, viewer.session))

        return answer.response({"viewer": viewer, "form_field": form_field, "here": request.path})


Handler = Callable[[Page, web.Request], Awaitable[Answer | web.StreamResponse]]


def _refused(refusal: Refusal) -> Answer:
    values: dict[str, object] = {
        "title": refusal.title,
        "explanation": refusal.explanation,
        "back": refusal.back,
        "back_label": refusal.back_label,
    }
    return Answer("message.html", values, refusal.status)
