"""A real Prometheus, where one is installed, that scrapes often and lets no alert wait."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.support.waiting import eventually


@dataclass(slots=True)
class Prometheus:
    """One server with a folder of its own."""

    program: str
    folder: Path
    port: int = 0

    @classmethod
    def installed(cls, folder: Path, rules: Path) -> "Prometheus":
        """Return one that has these rules, or skip the test."""
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("prometheus is not installed (Debian and Ubuntu: apt-get install prometheus)")
        document = yaml.safe_load(rules.read_text())
        for rule in (rule for group in document["groups"] for rule in group["rules"]):
            rule["for"] = "0s"
        (folder / "rules.yaml").write_text(yaml.safe_dump(document))
        return cls(program, folder)

    @asynccontextmanager
    async def scraping(self, port: int) -> AsyncIterator[None]:
        """Scrape that port of loopback inside the block."""
        often = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"}
        jobs = [{"job_name": "pgmend", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]
        config = {"global": often, "rule_files": ["rules.yaml"], "scrape_configs": jobs}
        self.port = _free_port()
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))
        process = await asyncio.create_subprocess_exec(
            self.program,
            f"--config.file={self.folder / 'config.yaml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.kill()
            await process.wait()

    async def has(self, query: str) -> None:
        """Wait until a query returns something."""

        async def look() -> bool:
            answer = await self._get("query", query=query)
            return bool(answer.get("data", {}).get("result"))

        await eventually(look, within=60)

    async def fires(self, names: set[str]) -> None:
        """Wait until these alerts fire, at the latest together."""
        missing: set[str] = set()

        async def look() -> bool:
            answer = await self._get("alerts")
            firing = {it["labels"]["alertname"] for it in answer.get("data", {}).get("alerts", []) if it["state"] == "firing"}
            missing.clear()
            missing.update(names - firing)
            return not missing

        try:
            await eventually(look, within=60)
        except AssertionError:
            pytest.fail(f"these alerts do not fire: {missing}")

    async def _get(self, what: str, **parameters: str) -> dict[str, Any]:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self.port}/api/v1/{what}", params=parameters) as answer,
            ):
                return dict(await answer.json()) if answer.status == 200 else {}
        except aiohttp.ClientConnectionError:
            return {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
