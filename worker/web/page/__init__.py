"""The page: what is whole, what is not, and the command that mends it, for a person with a browser.

``add_page`` hangs it into an application. It reads through a connection of its own, and writes nothing unless a token is
configured and somebody has signed in with it.
"""

from dataclasses import replace

from aiohttp import web

from worker.log import Log
from worker.web.page import letters, signing, story, trail
from worker.web.page.assets import Asset, assets
from worker.web.page.gate import Gate
from worker.web.page.overview import Overview
from worker.web.page.page import Handler, Page, PageOptions, options_of
from worker.web.page.rendering import HEADERS, KEPT
from worker.web.reader import Reader

_CONNECT_SECONDS = 3.0

__all__ = ["PageOptions", "add_page", "options_of"]


def add_page(app: web.Application, options: PageOptions, log: Log) -> None:
    """Add the routes of the page; what it holds open is closed with the application."""
    gate = Gate(options.token, options.clock) if options.token else None
    seconds = min(options.target.connect_timeout, _CONNECT_SECONDS)
    target = replace(options.target, application_name="pgmend page", connect_timeout=seconds)
    page = Page(options, log, Reader(target, options.statement_timeout), gate)
    add_reading(app, page)
    if gate is not None:
        add_acting(app, page)

    async def close(_app: web.Application) -> None:
        await page.reader.close()

    app.on_cleanup.append(close)


def add_reading(app: web.Application, page: Page) -> None:
    """Add what everybody may look at."""
    overview = Overview()
    app.router.add_get("/", page.handles(overview.show))
    app.router.add_get("/audit", page.handles(trail.show_audit))
    app.router.add_get("/dead-letters", page.handles(letters.show_list))
    app.router.add_get("/dead-letters/{event_id}", page.handles(letters.show_one))
    app.router.add_get("/events/{event_id}", page.handles(story.show_story))
    for asset in assets().values():
        app.router.add_get(asset.path, page.handles(_serving(asset)))


def add_acting(app: web.Application, page: Page) -> None:
    """Add what is there only where a token is configured."""
    app.router.add_get("/sign-in", page.handles(signing.show_sign_in))
    app.router.add_post("/sign-in", page.handles(signing.sign_in))
    app.router.add_post("/sign-out", page.handles(signing.sign_out))
    deed = "/dead-letters/{event_id}/{action:requeue|discard}"
    app.router.add_get(deed, page.handles(letters.confirm))
    app.router.add_post(deed, page.handles(letters.carry_out))


def _serving(asset: Asset) -> Handler:
    async def serve(_page: Page, _request: web.Request) -> web.Response:
        return web.Response(body=asset.content, content_type=asset.content_type, charset="utf-8", headers=HEADERS | KEPT)

    return serve
