"""``pgmend doctor``: a report on everything that keeps users from their profiles."""

import argparse
import asyncio
import json
from dataclasses import asdict, replace

from worker import settings
from worker.commands import Commands
from worker.commands.doctor_view import lines
from worker.commands.saying import say
from worker.core.checks import SEVERITIES
from worker.core.finding import Report
from worker.examination import Examination, Wishes
from worker.settings import Settings
from worker.store.connection import close, connect

FOUND_SOMETHING = 3
"""The exit status when there is an error or a warning."""

EXAMPLES = """\
examples:
  pgmend doctor
  pgmend doctor --json --no-trial                  for a pipeline
  pgmend doctor --worker-role app_worker           as the installer, before that login works
"""


def add_parsers(commands: Commands) -> None:
    """Add ``doctor``."""
    parser = commands.add_parser(
        "doctor",
        help="report what is wrong, why it matters, and the SQL that mends it",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("--no-trial", action="store_true", help="do not try the recipe in a transaction that is rolled back")
    parser.add_argument("--worker-role", metavar="ROLE", help="judge this role's rights as the worker's, whoever asks")
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    report = asyncio.run(examine(settings.load(), with_trial=not options.no_trial, worker_role=options.worker_role))
    if options.json:
        print(json.dumps(as_json(report)))
    else:
        say(lines(report))
    return 0 if report.is_clean else FOUND_SOMETHING


async def examine(effective: Settings, *, with_trial: bool, worker_role: str | None) -> Report:
    """Look at the installation as the worker would meet it."""
    wishes = Wishes(
        effective.target,
        effective.listen_target,
        bell_patience=effective.heartbeat_timeout_seconds,
        with_trial=with_trial,
        worker_role=worker_role,
    )
    connection = await connect(replace(effective.target, application_name="pgmend doctor", prepared_statements=False))
    try:
        return await Examination(connection, wishes).run()
    finally:
        await close(connection)


def as_json(report: Report) -> dict[str, object]:
    """Return the report as one JSON object: facts, findings, and how many there are of each severity."""
    return {
        "facts": report.facts,
        "findings": [asdict(finding) for finding in report.findings],
        "counts": {severity: report.count(severity) for severity in SEVERITIES},
    }
