"""The measurements run: sizes for a smoke test, no claim about time."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


async def test_bench_prints_every_figure_beside_its_reference() -> None:
    """A quick drain ends with one JSON object: figures with ratio and target, the rounds behind them, the conditions."""
    found = await bench("drain", "--quick", "--json")

    drain = found["measurements"]["drain"]
    figures = {figure["name"]: figure for figure in drain["figures"]}
    assert figures["drain"]["target"] == ">= 0.8"
    assert figures["drain, 1 % poison by a CHECK"]["target"] == ">= 0.7"
    for figure in figures.values():
        assert min(figure["ours"], figure["reference"], figure["ratio"]) > 0
    assert set(drain["rounds"]) >= {"ours", "reference", "poison"}
    assert found["conditions"]["quick"] is True
    assert found["conditions"]["settings"]["fsync"] == "off"


async def test_bench_counts_orphans_beside_the_bare_join() -> None:
    """Both count the same, or the measurement ends; twice beside the reference, as it is and with as much memory."""
    orphans = (await bench("orphans", "--quick", "--json"))["measurements"]["orphans"]

    assert [figure["target"] for figure in orphans["figures"]] == [">= 0.8", ">= 0.8"]
    assert set(orphans["rounds"]) == {"ours", "bare", "bare, more memory"}


async def test_bench_asks_a_real_page_and_real_commands() -> None:
    """What a person on call waits for is measured whole, and the slowest of it stands against a second."""
    operating = (await bench("operating", "--quick", "--json"))["measurements"]["operating"]
    *figures, human = operating["figures"]

    assert {"page, overview", "page, story of an event", "metrics", "pgmend status"} <= {figure["name"] for figure in figures}
    assert (human["target"], human["reference"]) == ("<= 1", 1000)
    assert human["ours"] == max(it["ours"] for it in figures if it["name"].startswith(("page", "metrics", "pgmend ")))


async def bench(*arguments: str) -> dict[str, Any]:
    """Run the bench to its end and return the last line of its output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", *arguments), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found
