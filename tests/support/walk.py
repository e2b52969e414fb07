"""A walk that anybody can take: the commands of a document's console blocks, run, and held against what stands there."""

import itertools
import re
import shlex
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import StartWorker
from tests.support.database import Database
from tests.support.process import run_command

ROOT = Path(__file__).parents[2]
ANYTHING = "…"
"""In place of output that differs from time to time."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the document, and what it is said to print."""

    command: str
    output: str


@dataclass(slots=True)
class Walk:
    """Takes the steps of one section; ``url`` is where pgmend connects, ``name`` how the document calls the database."""

    database: Database
    url: str
    name: str
    start: StartWorker
    status: int = 0
    strayed: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, step: Step) -> None:
        """Run one command, and remember where it prints something else."""
        program, *arguments = shlex.split(step.command)
        handlers: dict[str, Callable[[Step, list[str]], Awaitable[None]]] = {
            "psql": self._psql,
            "cat": self._cat,
            "echo": self._echo,
            "pgmend": self._worker if arguments == ["run"] else self._pgmend,
        }
        await handlers[program](step, arguments)

    async def _pgmend(self, step: Step, arguments: list[str]) -> None:
        self.status, out, err = await run_command(self.url, *arguments)
        self._compare(step, (out + err).replace(self.database.name, self.name))

    async def _worker(self, _: Step, __: list[str]) -> None:
        worker = await self.start(url=self.url)
        await worker.logged("express_batch_settled", left_over=0)
        worker.process.terminate()
        assert await worker.ended() == 0

    async def _psql(self, _: Step, arguments: list[str]) -> None:
        connection = await self.database.connect()
        for option, value in itertools.pairwise(arguments):
            if option in {"-c", "-f"}:
                await connection.execute((ROOT / value).read_text() if option == "-f" else value)

    async def _cat(self, step: Step, arguments: list[str]) -> None:
        Path(arguments[0]).write_text(step.output)

    async def _echo(self, step: Step, _: list[str]) -> None:
        self._compare(step, f"{self.status}\n")

    def _compare(self, step: Step, printed: str) -> None:
        expected = ".*".join(re.escape(part) for part in step.output.split(f"{ANYTHING}\n"))
        if not re.fullmatch(expected, printed, re.DOTALL):
            self.strayed.append((step.command, printed))


def steps(document: str, section: str) -> Iterator[Step]:
    """Yield the commands of the console blocks below one header."""
    text = (ROOT / "docs" / document).read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for command, output in re.findall(r"^\$ (.*?)\n(.*?)(?=^\$ |\Z)", block, re.DOTALL | re.MULTILINE):
            yield Step(command, output)
