"""Signing in and out: the token is told once, and the browser keeps a cookie that is not it."""

from aiohttp import web

from worker.web.page.forms import Form, require_gate
from worker.web.page.gate import SESSION_SECONDS
from worker.web.page.origin import is_https
from worker.web.page.page import COOKIE, Page
from worker.web.page.rendering import HEADERS, NOT_KEPT, Answer
from worker.web.page.shown import text

_MOST_OF_A_NAME = 64


async def show_sign_in(_page: Page, _request: web.Request) -> Answer:
    """Show the form."""
    return _form("")


async def sign_in(page: Page, request: web.Request) -> Answer | web.Response:
    """Compare the token, and give a cookie for it."""
    gate = require_gate(page)
    form = await Form.read(request)
    form.require_fresh(gate, "/sign-in", None)
    name = _legible(form.field("name"))[:_MOST_OF_A_NAME]
    wait = gate.throttle.wait(request.remote, gate.clock())
    if wait > 0:
        page.log.warning("page_sign_in_refused", address=request.remote, reason="too many wrong tokens")
        return _form(name, f"Too many wrong tokens. Try again in {max(1, round(wait))} s.", 429)
    if not name or not gate.is_token(form.field("token")):
        gate.throttle.failed(request.remote, gate.clock())
        page.log.warning("page_sign_in_refused", address=request.remote, reason="wrong token")
        return _form(name, "That is not the token, or the name is empty.", 403)
    gate.throttle.succeeded(request.remote)
    page.log.info("page_signed_in", address=request.remote, person=text(name))
    answer = see_other("/")
    answer.set_cookie(
        COOKIE,
        gate.cookie(name),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.secure or is_https(request.headers),
    )
    return answer


async def sign_out(page: Page, request: web.Request) -> web.Response:
    """Take the cookie back, and let it be worth nothing."""
    gate, session = require_gate(page), page.viewer(request).session
    (await Form.read(request)).require_fresh(gate, "/sign-out", session)
    gate.sign_out(session)
    answer = see_other("/")
    answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer


def see_other(path: str) -> web.Response:
    """Return the answer that sends a browser on after a form."""
    return web.Response(status=303, headers=HEADERS | NOT_KEPT | {"Location": path})


def _legible(name: str) -> str:
    """Return the name on one line, without what cannot be seen or turns the direction of writing: the audit keeps it."""
    return "".join(filter(str.isprintable, " ".join(name.split()))).strip()


def _form(name: str, problem: str = "", status: int = 200) -> Answer:
    return Answer("sign_in.html", {"name": name, "problem": problem}, status)
