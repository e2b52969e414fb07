"""The page, served on loopback for a test, and somebody who asks it for things."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
from aiohttp import web

from worker.log import Log
from worker.web.page import PageOptions, add_page

TOKEN = "a-token-of-the-tests-only"  # noqa: S105 - as it says
NOW = 1_800_000_000.0


@dataclass(slots=True)
class Clock:
    """Seconds since the epoch, which pass when a test says so."""

    now: float = NOW

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass(frozen=True, slots=True)
class Shown:
    """What came back."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def main(self) -> str:
        """Return what stands between the tags of main."""
        return self.text.partition("<main")[2].partition("</main>")[0]

    def form(self, action: str) -> str:
        """Return the hidden field of the form with this action."""
        found = re.search(rf'action="{re.escape(action)}">.*?name="form" value="([^"]+)"', self.text, re.DOTALL)
        assert found, f"there is no form for {action}"
        return found[1]


@dataclass(slots=True)
class Visitor:
    """A browser without a face: keeps the cookie it was given, and sends the Origin of where it is."""

    url: str
    session: aiohttp.ClientSession
    clock: Clock
    cookie: str | None = None
    answers: list[Shown] = field(default_factory=list)

    async def get(self, path: str, **headers: str) -> Shown:
        """Ask for a page."""
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Shown:
        """Send a form, from a page of this very host unless another Origin is said."""
        return await self._ask("POST", path, fields, {"Origin": self.url} | headers)

    async def sign_in(self, token: str = TOKEN, name: str = "Ada") -> Shown:
        """Fill in the form and send it."""
        form = (await self.get("/sign-in")).form("/sign-in")
        return await self.post("/sign-in", {"form": form, "name": name, "token": token})

    async def _ask(self, method: str, path: str, fields: Mapping[str, str] | None, headers: Mapping[str, str]) -> Shown:
        cookies = {"Cookie": f"pgmend_session={self.cookie}"} if self.cookie else {}
        request = self.session.request(
            method, self.url + path, data=fields, headers=cookies | dict(headers), allow_redirects=False
        )
        async with request as answer:
            if "pgmend_session" in answer.cookies:
                self.cookie = answer.cookies["pgmend_session"].value
            shown = Shown(answer.status, await answer.text(), answer.headers)
        self.answers.append(shown)
        return shown


@asynccontextmanager
async def serving(options: PageOptions, log: Log) -> AsyncIterator[Visitor]:
    """Serve the page; the visitor's clock is the page's."""
    clock = Clock()
    app = web.Application()
    add_page(app, replace(options, clock=clock), log)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as session:
            yield Visitor(f"http://{host}:{port}", session, clock)
    finally:
        await runner.cleanup()
