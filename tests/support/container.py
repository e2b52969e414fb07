"""The built image, started by a real container runtime as a platform with little trust in it starts it."""

import asyncio
import json
import os
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.process import WorkerProcess

ANY_USER = 1000670000
"""As OpenShift chooses one for a namespace: in no /etc/passwd, and in group 0."""


@dataclass(frozen=True, slots=True)
class Image:
    """What ``./run image --way debian`` leaves: a root file system and the configuration of the image."""

    root: Path
    config: dict[str, Any]


def find_image() -> Image | str:
    """Return the image that PGMEND_TEST_IMAGE names, or the reason why there is none."""
    named = os.environ.get("PGMEND_TEST_IMAGE")
    if not named:
        return "PGMEND_TEST_IMAGE names no image: ./run image --way debian makes one"
    if shutil.which("runc") is None or os.geteuid() != 0:
        return "a container is started by root, with runc (apt-get install runc)"
    root = Path(named).resolve(strict=True)
    described = json.loads((Path(named).parent / "image.json").read_text())
    return Image(root, described["Docker"]["config"])


@dataclass(slots=True)
class Containers:
    """Containers of one test, in a state folder of their own: read-only, without a capability, as any user."""

    image: Image
    folder: Path
    started: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, url: str, **settings: object) -> WorkerProcess:
        """Start a worker, by the image's own command; its log is read."""
        worker = WorkerProcess(await self.start_command(*self.image.config["Cmd"], url=url, **settings))
        worker.read()
        return worker

    async def start_command(self, *arguments: str, url: str, **settings: object) -> asyncio.subprocess.Process:
        """Start the image with these arguments for its entrypoint; ``newest`` is the container then."""
        name = f"pgmend-{os.getpid()}-{self.folder.name}-{len(self.started)}"
        bundle = self.folder / name
        bundle.mkdir()
        environment = {"PGMEND_DATABASE_URL": url} | {f"PGMEND_{key.upper()}": str(value) for key, value in settings.items()}
        (bundle / "config.json").write_text(json.dumps(self._specification(arguments, environment, name)))
        self.started[name] = await self._runc("run", "--bundle", str(bundle), name)
        return self.started[name]

    @property
    def newest(self) -> str:
        """Return the name of the container that was started last, which the functions below are about."""
        return list(self.started)[-1]

    async def execute(self, *command: str) -> tuple[int, str]:
        """Run a command inside, with the rights of the container; return its exit status and output."""
        return await self._ask("exec", self.newest, *command)

    async def send(self, number: signal.Signals) -> None:
        """Send a signal to process 1 of the container, as an engine does."""
        status, said = await self._ask("kill", self.newest, number.name)
        assert status == 0, said

    async def processes(self) -> list[int]:
        """Return the ids, outside, of all processes of the container."""
        state = json.loads((await self._ask("state", self.newest))[1])
        inside = _namespace(Path(f"/proc/{state['pid']}"))
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _namespace(path) == inside]

    async def remove(self) -> None:
        """End and delete all of them."""
        for name, process in self.started.items():
            await self._ask("delete", "--force", name)
            await process.wait()

    async def _ask(self, *arguments: str) -> tuple[int, str]:
        process = await self._runc(*arguments)
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, (out + err).decode()

    async def _runc(self, *arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            "runc", "--root", str(self.folder / "state"), *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )

    def _specification(self, arguments: tuple[str, ...], environment: dict[str, str], host: str) -> dict[str, Any]:
        none: dict[str, list[str]] = {kind: [] for kind in ("bounding", "effective", "permitted", "ambient")}
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": ANY_USER, "gid": 0},
                "args": [*self.image.config["Entrypoint"], *arguments],
                "env": [*self.image.config["Env"], *(f"{key}={value}" for key, value in environment.items())],
                "cwd": self.image.config["WorkingDir"],
                "capabilities": none,
                "noNewPrivileges": True,
            },
            "root": {"path": str(self.image.root), "readonly": True},
            "hostname": host[-60:],
            # No namespace for the network: the server of the tests listens on loopback.
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
            ],
        }


def _namespace(process: Path) -> Path | None:
    try:
        return (process / "ns" / "pid").readlink()
    except OSError:  # it has ended since
        return None
