"""The probes ``/livez``, ``/readyz`` and ``/startupz``: answered from vital signs, never by asking the database."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from aiohttp import web

from worker.core.readiness import Reason, lateness, startup, unreadiness
from worker.web.site import Site

Judgement = Callable[[Site], Sequence[Reason]]


def add_probes(app: web.Application, site: Site) -> None:
    """Add the three probes."""
    for path, judge in (("/livez", _liveness), ("/readyz", _readiness), ("/startupz", _startup)):
        app.router.add_get(path, _probe(site, judge))


def _probe(site: Site, judge: Judgement) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        reasons = judge(site)
        body = {
            "status": "red" if reasons else "green",
            "worker_id": site.worker.identity.worker_id,
            "reasons": [asdict(reason) for reason in reasons],
            "tasks": {pulse.name: pulse.doing for pulse in site.worker.vitals},
        }
        return web.json_response(body, status=503 if reasons else 200)

    return answer


def _liveness(site: Site) -> list[Reason]:
    return lateness(site.worker.vitals)


def _startup(site: Site) -> list[Reason]:
    return startup(site.worker.vitals)


def _readiness(site: Site) -> list[Reason]:
    return unreadiness(site.worker.vitals, site.observatory.seen, site.limits)
