"""A worker's HTTP server, as a probe, a scraper and a bad client see it."""

from dataclasses import dataclass
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.support.process import WorkerProcess
from tests.support.waiting import eventually

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def codes(self) -> set[str]:
        """Return the codes of the reasons that a probe gives."""
        return {reason["code"] for reason in self.body["reasons"]}


@dataclass(frozen=True, slots=True)
class Client:
    """Asks the server on a port of loopback."""

    port: int
    within: float = 5.0

    async def get(self, path: str, method: str = "GET") -> Answer:
        """Ask on a connection of its own."""
        timeout = aiohttp.ClientTimeout(total=self.within)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, f"http://127.0.0.1:{self.port}{path}") as answer,
        ):
            body = await answer.json() if answer.content_type == "application/json" and method != "HEAD" else {}
            return Answer(answer.status, dict(answer.headers), body)

    async def text(self, path: str = "/metrics", accept: str = "text/plain") -> str:
        """Return a body as text."""
        timeout = aiohttp.ClientTimeout(total=self.within)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept}) as answer,
        ):
            assert answer.status == 200
            return await answer.text()

    async def samples(self) -> Samples:
        """Scrape."""
        families = text_string_to_metric_families(await self.text())
        return {(it.name, frozenset(it.labels.items())): it.value for family in families for it in family.samples}

    async def sample(self, name: str, **labels: str) -> float | None:
        """Scrape, and return the one value of that name with those labels, or None."""
        return (await self.samples()).get((name, frozenset(labels.items())))

    async def becomes(self, name: str, wanted: float, **labels: str) -> None:
        """Wait until a metric has a value."""

        async def look() -> bool:
            return await self.sample(name, **labels) == wanted

        await eventually(look)

    async def turns(self, path: str, *codes: str) -> Answer:
        """Wait until a probe is red for exactly these reasons, or green where none is named; return its answer."""

        async def look() -> Answer | None:
            answer = await self.get(path)
            return answer if answer.codes == set(codes) else None

        answer = await eventually(look)
        assert answer is not None
        return answer


async def client_of(worker: WorkerProcess) -> Client:
    """Return a client of a worker process that serves."""
    return Client((await worker.logged("http_started"))["port"])
