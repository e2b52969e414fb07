"""A real Chromium without a window, driven over its own protocol."""

import asyncio
import base64
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.waiting import eventually

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # the tests may run as root, and look at nothing but our own page
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)

Json = dict[str, Any]


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@dataclass(slots=True)
class Tab:
    """One page. ``complaints`` are what the browser has said against it: errors, and what the policy forbade."""

    socket: aiohttp.ClientWebSocketResponse
    complaints: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, "asyncio.Future[Json]"] = field(default_factory=dict)
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)
    _passed: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, method: str, **parameters: object) -> Json:
        """Send one command and return its result."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(20):
            return await self._waiting[number]

    async def listen(self) -> None:
        """Take in what the browser says, until it is closed."""
        async for message in self.socket:
            said = message.json()
            if "id" in said:
                future = self._waiting.pop(said["id"])
                if "error" in said:
                    future.set_exception(RuntimeError(said["error"]["message"]))
                else:
                    future.set_result(said["result"])
            elif said["method"] == "Page.loadEventFired":
                self._loaded.set()
            elif said["method"] == "Emulation.virtualTimeBudgetExpired":
                self._passed.set()
            elif said["method"] == "Log.entryAdded":
                self.complaints.append(said["params"]["entry"]["text"])
            elif said["method"] == "Runtime.exceptionThrown":
                self.complaints.append(str(said["params"]["exceptionDetails"]))

    async def open(self, url: str) -> None:
        """Go to an address, and wait until the page has loaded."""
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        async with asyncio.timeout(20):
            await self._loaded.wait()

    async def follow(self, script: str) -> None:
        """Run a script that leads to another page, and wait until that has loaded."""
        self._loaded.clear()
        await self.evaluate(f"void {script}")
        async with asyncio.timeout(20):
            await self._loaded.wait()

    async def text(self) -> str:
        """Return what can be read on the page, also where scripts are off."""
        root = (await self.call("DOM.getDocument", depth=0))["root"]["nodeId"]
        body = (await self.call("DOM.querySelector", nodeId=root, selector="body"))["nodeId"]
        shown = await self.call("DOM.resolveNode", nodeId=body)
        answer = await self.call(
            "Runtime.callFunctionOn",
            objectId=shown["object"]["objectId"],
            functionDeclaration="function () { return this.innerText }",
            returnByValue=True,
        )
        return str(answer["result"]["value"])

    async def look_like(self, *, width: int, height: int, scheme: str = "light", motion: str = "no-preference") -> None:
        """Be a window of this size, in light or dark, of somebody who likes motion or does not."""
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        await self.call("Emulation.setEmulatedMedia", features=[{"name": name, "value": it} for name, it in wishes.items()])

    async def evaluate(self, script: str) -> Any:
        """Return what a script says, which may wait."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    async def becomes(self, script: str, expected: object) -> None:
        """Wait until a script says what is expected."""

        async def look() -> bool:
            return bool(await self.evaluate(script) == expected)

        await eventually(look)

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass for the page, as fast as it can be done; what it fetches meanwhile arrives."""
        self._passed.clear()
        await self.call("Emulation.setVirtualTimePolicy", policy="pauseIfNetworkFetchesPending", budget=seconds * 1000)
        async with asyncio.timeout(20):
            await self._passed.wait()

    async def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    async def screenshot(self) -> bytes:
        """Return the whole page as PNG."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        answer = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Tab]:
    """Start a Chromium with a profile of its own; it is gone afterwards, and so is the profile."""
    with tempfile.TemporaryDirectory(prefix="pgmend-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with _connected(Path(profile)) as tab:
                yield tab
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@asynccontextmanager
async def _connected(profile: Path) -> AsyncIterator[Tab]:
    port_file = profile / "DevToolsActivePort"

    async def port() -> str:
        return port_file.read_text().split("\n")[0] if port_file.exists() else ""

    async with aiohttp.ClientSession() as session:
        at = f"http://127.0.0.1:{await eventually(port)}"

        async def pages() -> list[str]:
            async with session.get(f"{at}/json/list") as answer:
                return [it["webSocketDebuggerUrl"] for it in await answer.json() if it["type"] == "page"]

        async with session.ws_connect((await eventually(pages))[0], max_msg_size=0) as socket:
            tab = Tab(socket)
            listening = asyncio.create_task(tab.listen())
            for domain in ("Page", "Runtime", "Log"):
                await tab.call(f"{domain}.enable")
            yield tab
            listening.cancel()
