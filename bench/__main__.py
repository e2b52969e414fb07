"""The command line: ``python -m bench [NAME ...] [--json] [--quick] [--events N] [--draw] [--durable]``."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.laboratory import Laboratory, open_laboratory
from bench.measurements import MEASUREMENTS
from bench.report import Report, table

PICTURES = Path(__file__).parents[1] / "docs" / "bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return 0: a missed target is a finding, not a failure."""
    options = _parser().parse_args(arguments)
    with open_laboratory(durable=options.durable, quick=options.quick, events=options.events) as laboratory:
        reports = asyncio.run(_measure(laboratory, options.names or list(MEASUREMENTS)))
        conditions = laboratory.conditions()
    print(table(figure for report in reports for figure in report.figures))
    if options.draw:
        _draw(reports)
    if options.json:
        found = {report.name: report.as_dict() for report in reports}
        print(json.dumps({"measurements": found, "conditions": conditions}))
    return 0


async def _measure(laboratory: Laboratory, names: Sequence[str]) -> list[Report]:
    reports = []
    for name in names:
        started = time.perf_counter()
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        reports.append(await MEASUREMENTS[name](laboratory))
        print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    return reports


def _draw(reports: Sequence[Report]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for report in reports:
        (PICTURES / f"{report.name}.svg").write_text(report.picture.svg(), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure, each figure beside its reference in the same run, on a private server."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=", ".join(MEASUREMENTS))
    parser.add_argument("--json", action="store_true", help="print all figures and conditions as JSON in the last line")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs; the figures mean nothing")
    parser.add_argument("--events", type=int, metavar="N", help="events of the measurement bloat (1,000,000)")
    parser.add_argument("--draw", action="store_true", help="write the pictures into docs/bench")
    parser.add_argument("--durable", action="store_true", help="keep fsync and synchronous_commit on")
    return parser


def _name(text: str) -> str:
    if text not in MEASUREMENTS:
        raise argparse.ArgumentTypeError(f"there is no measurement {text}; there are {', '.join(MEASUREMENTS)}")
    return text


if __name__ == "__main__":
    sys.exit(main())
