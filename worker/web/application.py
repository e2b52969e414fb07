"""The web application of one worker: probes, metrics, and the page where there is one."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from worker.log import redacted
from worker.web.connections import SECURITY_HEADERS, Connection
from worker.web.exposition import Exposition
from worker.web.probes import add_probes
from worker.web.site import Site

LONGEST_REQUEST_SECONDS = 10.0
_LARGEST_BODY = 65_536


def make_application(site: Site) -> web.Application:
    """Return everything that is served for a site."""
    app = web.Application(middlewares=[_guarded(site)], client_max_size=_LARGEST_BODY)
    app.on_response_prepare.append(_add_headers)
    add_probes(app, site)
    _add_metrics(app, site)
    # The page at / is added here: worker.web.page.add_page(app, site).
    return app


def _add_metrics(app: web.Application, site: Site) -> None:
    exposition = Exposition(site)

    async def metrics(request: web.Request) -> web.Response:
        text, content_type = exposition.write(request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type})

    app.router.add_get("/metrics", metrics)


def _guarded(site: Site) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """End what takes too long, and answer what goes wrong: a request never costs the worker more than that."""
        try:
            async with asyncio.timeout(LONGEST_REQUEST_SECONDS):
                return await handler(request)
        except web.HTTPException as refusal:
            if refusal.status < web.HTTPBadRequest.status_code:
                raise
            headers = {"Allow": refusal.headers["Allow"]} if "Allow" in refusal.headers else None
            return web.json_response({"error": refusal.reason}, status=refusal.status, headers=headers)
        except TimeoutError:
            return web.json_response({"error": "this took too long"}, status=web.HTTPServiceUnavailable.status_code)
        except Exception as error:  # noqa: BLE001 - nothing that a request does may reach the worker
            site.log.warning("request_failed", reason=redacted(f"{type(error).__name__}: {error}"))
            return web.json_response({"error": "see the log"}, status=web.HTTPInternalServerError.status_code)

    return guard


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    if isinstance(request.protocol, Connection) and request.protocol.is_old:
        response.headers["Connection"] = "close"
        response.force_close()
    for name, value in SECURITY_HEADERS.items():
        if name == "Server":
            response.headers[name] = value
        else:
            response.headers.setdefault(name, value)
