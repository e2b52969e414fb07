"""``pgmend constrain``: foreign keys that are missing or NOT VALID become valid ones, while the application runs."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from worker import settings
from worker.commands import Commands
from worker.commands.constrain_view import outcome_json, outcome_lines, plan_json, plan_lines, refusal_json
from worker.commands.doctor import FOUND_SOMETHING
from worker.commands.numbers import positive
from worker.commands.saying import say
from worker.constraining import Constraining, Outcome
from worker.core.constrain.plan import Plan
from worker.core.retry_policy import RetryPolicy
from worker.errors import OrphansRemainError, ServerUnfitError, SettingsInvalidError
from worker.locking import Patience
from worker.probing import pooler_of
from worker.refusing import refuse
from worker.store import locks
from worker.store.connection import Target, close, connect
from worker.wishes import Asked, gather

_A_WEEK_SECONDS = 604_800.0
"""A scan takes as long as it takes."""

_MODES = ("report", "ensure", "park")

_OF_A_REFERENCE = {
    "--reference": "one more, as in orders.user_id=profiles.id",
    "--only": "these and no others, as in orders.user_id",
    "--name": "what a new key is called, as in orders.user_id=fk_orders_user_id",
    "--on-delete": "of a new key, as in orders.user_id=cascade; without it no action",
    "--deferrable": "a new key is deferrable, as in orders.user_id, or orders.user_id=deferred",
}
"""Options that may be given more than once."""

EXAMPLES = """\
examples:
  pgmend constrain                                                  every step, with its locks
  pgmend constrain --only orders.user_id --on-delete orders.user_id=cascade --apply
  pgmend constrain --reference tickets.user_id=profiles.id --guard park --apply
"""


def add_parsers(commands: Commands) -> None:
    """Add ``constrain``."""
    parser = commands.add_parser(
        "constrain",
        help="make missing and NOT VALID foreign keys valid, without downtime",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="print every step with its locks and change nothing (the default)")
    what.add_argument("--apply", action="store_true", help="carry the plan out")
    parser.add_argument("--json", action="store_true", help="as one JSON object; progress goes to stderr")
    for option, helps in _OF_A_REFERENCE.items():
        parser.add_argument(option, action="append", default=[], metavar="REF", help=helps)
    parser.add_argument("--not-valid-first", action="store_true", help="hold new rows to the key while old orphans remain")
    parser.add_argument("--guard", choices=_MODES, metavar="MODE", help="guard the valid key: report, ensure or park")
    parser.add_argument(
        "--lock-timeout", type=positive, default=500, metavar="MS", help="how long an attempt waits for locks (500)"
    )
    parser.add_argument("--attempts", type=positive, default=60, metavar="N", help="how often a step is attempted (60)")
    parser.set_defaults(run=_constrain)


def _constrain(options: argparse.Namespace) -> int:
    effective = settings.load()
    asked = Asked(
        options.reference,
        options.only,
        options.name,
        options.on_delete,
        options.deferrable,
        options.guard,
        options.not_valid_first,
    )
    patience = Patience(options.lock_timeout, RetryPolicy(first_delay=0.1, longest_delay=5.0, most_attempts=options.attempts))
    run = apply if options.apply else show
    return asyncio.run(run(effective.listen_target, asked, patience, as_json=options.json))


async def show(target: Target, asked: Asked, patience: Patience, *, as_json: bool) -> int:
    """Print the plan, and raise what stands in its way."""
    async with _constraining(target, patience, _silent) as constraining:
        plans = [await constraining.plan(wish) for wish in await gather(constraining.connection, asked)]
        texts = [await constraining.texts(plan) for plan in plans]
    if as_json:
        print(json.dumps({"references": [plan_json(*both) for both in zip(plans, texts, strict=True)]}))
    else:
        say(plan_lines(plans, texts, patience))
    refuse([refusal for plan in plans for refusal in plan.refusals])
    return 0


async def apply(target: Target, asked: Asked, patience: Patience, *, as_json: bool) -> int:
    """Carry the plan out, each reference after the other; those with orphans do not hold up the rest."""
    await _require_session(target)
    tell = _to_stderr if as_json else _to_stdout
    async with _constraining(target, patience, tell) as constraining:
        await _require_short(constraining, patience)
        wishes = await gather(constraining.connection, asked)
        plans = [await constraining.plan(wish) for wish in wishes]
        refuse([refusal for plan in plans for refusal in plan.refusals])
        outcomes = [await _carry_out(constraining, plan, tell) for plan in plans if not plan.left_out]
    if as_json:
        left_out = [refusal_json(refusal) for plan in plans for refusal in plan.left_out]
        print(json.dumps({"references": [outcome_json(outcome) for outcome in outcomes], "left_out": left_out}))
    else:
        say(outcome_lines(plans, outcomes))
    return _status(outcomes)


async def _carry_out(constraining: Constraining, plan: Plan, tell: Callable[[str], None]) -> Outcome:
    tell(plan.wish.reference.name)
    return await constraining.carry_out(plan.wish)


def _status(outcomes: list[Outcome]) -> int:
    stopped = [outcome for outcome in outcomes if outcome.orphans]
    if not stopped:
        return 0
    if all(outcome.wish.not_valid_first for outcome in stopped):
        return FOUND_SOMETHING
    first = stopped[0]
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in first.orphans.items())
    raise OrphansRemainError(
        "orphans remain",
        detail="; ".join(f"{outcome.wish.reference.name}: {sum(outcome.orphans.values()):,}" for outcome in stopped)
        + f" ({reasons})" * (len(stopped) == 1),
        hint="look at them with pgmend diagnose, settle them with pgmend repair, then run this again",
    )


async def _require_session(target: Target) -> None:
    if await pooler_of(replace(target, prepared_statements=False)) == "transaction":
        raise ServerUnfitError(
            "a transaction pooler is in between",
            detail="create index concurrently and its limits need a session of their own",
            hint="set PGMEND_LISTEN_URL to a direct address, which this command prefers",
        )


async def _require_short(constraining: Constraining, patience: Patience) -> None:
    limit = await locks.deadlock_timeout(constraining.connection)
    if patience.lock_milliseconds >= limit:
        raise SettingsInvalidError(
            "--lock-timeout is wrong",
            detail=f"{patience.lock_milliseconds} ms; after {limit} ms the server may end the application's side of a deadlock",
            hint=f"choose 1 to {limit - 1}",
        )


@asynccontextmanager
async def _constraining(target: Target, patience: Patience, tell: Callable[[str], None]) -> AsyncIterator[Constraining]:
    patient = replace(target, application_name="pgmend constrain", statement_timeout=_A_WEEK_SECONDS, prepared_statements=False)
    connection = await connect(patient)
    try:
        watching = await connect(replace(patient, statement_timeout=target.statement_timeout))
        try:
            yield Constraining(connection, watching, patience, tell)
        finally:
            await close(watching)
    finally:
        await close(connection)


def _silent(_line: str) -> None:
    """Say nothing."""


def _to_stdout(line: str) -> None:
    say([line])


def _to_stderr(line: str) -> None:
    say([line], stream=sys.stderr)
