"""``pgmend repair``: a plan for the orphans, and with ``--apply`` the run."""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from worker import settings
from worker.commands import Commands
from worker.commands.desk import Desk, desk
from worker.commands.key_map import read_mapping
from worker.commands.numbers import not_negative, positive
from worker.commands.repair_view import ProgressView, plan_lines, result_lines
from worker.commands.saying import say
from worker.core.orphans import REASONS
from worker.core.repair_plan import Plan
from worker.core.strategy import STRATEGIES, WITH_ARGUMENT, Choice, read_choice
from worker.core.wording import counted
from worker.errors import OrphansRefusedError
from worker.repair_planning import Planning, Wishes
from worker.repair_run import RepairRun, begin
from worker.settings import Settings
from worker.store import repairs
from worker.store.repairs import Step, Unfinished

_ACTIONS = ("cascade", "set null", "set default", "restrict", "no action")

EXAMPLES = f"""\
reasons:     {", ".join(REASONS)}
strategies:  {", ".join(f"{it}:{WITH_ARGUMENT[it]}" if it in WITH_ARGUMENT else it for it in STRATEGIES)}
             FILE is CSV, a line old,new for each key; a first line that says old,new is its heading

examples:
  pgmend repair                                                     the plan
  pgmend repair --reference tickets.user_id=profiles.id             with one that has no foreign key
  pgmend repair --strategy orders.user_id=profiles.id:unknown=quarantine --apply
  pgmend repair --resume                                            after a run was killed
"""


def add_parsers(commands: Commands) -> None:
    """Add ``repair``."""
    parser = commands.add_parser(
        "repair",
        help="plan what to do with orphans; --apply does it, and pgmend restore undoes it",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--dry-run", action="store_true", help="print the plan and change nothing, which is the default")
    action.add_argument("--apply", action="store_true", help="do it; a run that was interrupted is finished first")
    action.add_argument("--resume", action="store_true", help="only finish a run that was interrupted")
    action.add_argument("--abandon", action="store_true", help="let an interrupted run be; what it did stays in the quarantine")
    parser.add_argument("--reference", action="append", default=[], help="orders.user_id=profiles.id: one without a foreign key")
    parser.add_argument("--only", action="append", default=[], metavar="REFERENCE", help="of all references only this")
    parser.add_argument("--strategy", action="append", default=[], type=_choice, help="REFERENCE:REASON=STRATEGY, see below")
    parser.add_argument("--on-delete", action="append", default=[], type=_on_delete, help="REFERENCE=ACTION, as it is intended")
    parser.add_argument("--audit", choices=("row", "batch"), default="batch", help="an audit entry for each row, or each batch")
    parser.add_argument("--batch-size", type=positive, help="rows in one transaction; without it as many as take 0.2 s")
    parser.add_argument(
        "--pause-milliseconds", type=not_negative, help="between two batches; without it a twentieth of what a batch took"
    )
    parser.add_argument("--lock-timeout-milliseconds", type=positive, default=500, help="the longest wait for a lock (500)")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=_repair)


def _repair(options: argparse.Namespace) -> int:
    return asyncio.run(_run(options, settings.load()))


async def _run(options: argparse.Namespace, effective: Settings) -> int:
    async with desk(options, effective) as at:
        if options.abandon:
            return await _abandon(at)
        going_on = await repairs.unfinished(at.connection) if options.apply or options.resume else []
        for run in going_on:
            await _finish(at, run)
        if options.resume:
            if not going_on:
                print("nothing to do: no repair was interrupted", file=sys.stderr if at.as_json else sys.stdout)
            return 0
        plan = await Planning(at.connection, _wishes(options)).run()
        if not options.apply or not plan.acting:
            _show_plan(at, plan)
            await _name_unfinished(at)
            return 0
        if not at.as_json:
            _show_plan(at, plan, is_applied=True)
        repair_id = await begin(at.connection, plan, audit=at.audit, search_path=at.search_path)
        await _finish(at, Unfinished(repair_id, at.search_path))
        return 0


async def _name_unfinished(at: Desk) -> None:
    for run in await repairs.unfinished(at.connection):
        said = f"repair {run.repair_id} was interrupted: --resume finishes it, --abandon lets it be; --apply finishes it first"
        print(said, file=sys.stderr if at.as_json else sys.stdout)


def _wishes(options: argparse.Namespace) -> Wishes:
    choices: list[Choice] = options.strategy
    files = [choice.argument for choice in choices if choice.strategy == "map" and choice.argument]
    return Wishes(
        references=[options.full_names[name] for name in options.reference],
        only=options.only,
        choices=choices,
        on_delete=dict(options.on_delete),
        mappings={file: read_mapping(file) for file in files},
    )


async def _finish(at: Desk, run: Unfinished) -> None:
    """Work until a run is done, and say what came of it. Raises OrphansRefusedError where rows were refused."""
    view = ProgressView(stream=sys.stderr if at.as_json else sys.stdout)
    try:
        steps = await RepairRun(at.connection, run.repair_id, run.search_path, at.pacing, view).run()
    finally:
        view.end()
    if at.as_json:
        print(json.dumps({"repair_id": run.repair_id, "steps": [asdict(step) for step in steps]}))
    else:
        say(result_lines(run.repair_id, steps))
    _raise_refused(steps)


def _raise_refused(steps: list[Step]) -> None:
    refused = [step for step in steps if step.rows_refused]
    if refused:
        raise OrphansRefusedError(
            f"{counted(sum(step.rows_refused for step in refused), 'orphan')} could not be repaired",
            detail=f"{refused[0].reference}, {refused[0].reason}: {refused[0].refusal}",
            hint="look at what refuses them, or choose another strategy for that reason",
        )


async def _abandon(at: Desk) -> int:
    interrupted = await repairs.unfinished(at.connection)
    if not interrupted:
        print("nothing to do: no repair was interrupted", file=sys.stderr if at.as_json else sys.stdout)
    for run in interrupted:
        await repairs.finish(at.connection, run.repair_id, "abandoned")
        print(f"repair {run.repair_id} is abandoned; pgmend restore {run.repair_id} brings back what it took")
    return 0


def _show_plan(at: Desk, plan: Plan, *, is_applied: bool = False) -> None:
    if at.as_json:
        print(json.dumps(plan.as_json()))
        return
    say(plan_lines(plan))
    if plan.acting and not is_applied:
        print("nothing was changed; pgmend repair --apply does it")


def _choice(text: str) -> Choice:
    try:
        return read_choice(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _on_delete(text: str) -> tuple[str, str]:
    reference, _, action = text.rpartition("=")
    if not reference or action.lower() not in _ACTIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is not REFERENCE=ACTION; actions: {', '.join(_ACTIONS)}")
    return reference, action.lower()
