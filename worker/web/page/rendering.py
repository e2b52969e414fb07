"""Rendering: templates with everything escaped, and the headers that every answer of the page carries."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from worker import __version__
from worker.web.page import shown
from worker.web.page.assets import assets

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

# A referrer within the page is needed: without one, browsers call the origin of a form "null".
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "pgmend",
}
NOT_KEPT = {"Cache-Control": "no-store"}
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}


_FILTERS: tuple[Callable[..., object], ...] = (
    shown.number,
    shown.share,
    shown.age,
    shown.milliseconds,
    shown.counted,
    shown.moment,
    shown.machine,
    shown.between,
    shown.text,
    shown.document,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: a template with its values."""

    template: str
    values: dict[str, object]
    status: int = 200

    def response(self, shared: dict[str, object]) -> web.Response:
        """Return it as HTML."""
        body = environment().get_template(self.template).render(**shared, **self.values)
        return web.Response(text=body, status=self.status, content_type="text/html", charset="utf-8", headers=HEADERS | NOT_KEPT)


@cache
def environment() -> Environment:
    """Return the templates. What is undefined is an error, and what is text is escaped."""
    made = Environment(
        loader=PackageLoader("worker.web.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for show in _FILTERS:
        made.filters[show.__name__] = show
    made.globals["asset"] = lambda name: assets()[name].path
    made.globals["version"] = __version__
    return made


def plain(status: int, text: str) -> web.Response:
    """Return an answer of one line, for who should not have asked."""
    return web.Response(text=f"{text}\n", status=status, headers=HEADERS | NOT_KEPT)
