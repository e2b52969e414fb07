"""What a person does with dead letters: send them back, or let them go; in transactions of a thousand each."""

import argparse
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace

from worker.commands.letters_view import COMES_BACK, discarded_lines, rehearsal_lines
from worker.commands.opening import as_json, opened
from worker.commands.saying import brief, say, shown
from worker.core.dead_letter import DeadLetter, LetterFilter
from worker.core.event import Event
from worker.core.rehearsal import Rehearsal
from worker.errors import ConfirmationNeededError, NoSuchEventError, PgmendError, PrivilegeMissingError
from worker.rehearsing import rehearse
from worker.settings import Settings
from worker.store import dead_letters, profiles
from worker.store.connection import Connection, close, connect

FOUND_SOMETHING = 3
"""The exit status when a rehearsal has met an obstacle."""

BATCH = 1000


async def requeue(options: argparse.Namespace, effective: Settings) -> int:
    """Send dead letters back, or only try them."""
    wanted = _wanted(options)
    async with opened(effective, "dead-letters") as connection:
        if options.dry_run:
            await require_trial(connection)
            return await _rehearse_all(connection, wanted, Trial(effective), as_object=options.json)
        requeued = 0
        async for letters in _batches(connection, wanted):
            requeued += await dead_letters.requeue(connection, [letter.event_id for letter in letters])
        _require_any(requeued, wanted)
    nothing = "" if requeued else ": no dead letter fits"
    print(as_json({"requeued": requeued}) if options.json else f"requeued {requeued:,}{nothing}")
    return 0


async def discard(options: argparse.Namespace, effective: Settings) -> int:
    """Let dead letters go: what goes is printed, a JSON object a line, before it is gone."""
    wanted = _wanted(options)
    async with opened(effective, "dead-letters") as connection:
        first = await dead_letters.listed(connection, wanted, limit=2)
        _require_any(len(first), wanted)
        if not options.dry_run and not options.yes:
            _ask(first)
        discarded = sign_ups = 0
        async for letters in _batches(connection, wanted):
            whole = await _discard_batch(connection, letters, dry_run=options.dry_run)
            discarded += len(whole)
            sign_ups += sum(letter.is_sign_up for letter in whole)
    say(discarded_lines(discarded, sign_ups, would=options.dry_run), stream=sys.stderr)
    return 0


async def _discard_batch(connection: Connection, letters: list[DeadLetter], *, dry_run: bool) -> list[DeadLetter]:
    """Print before the commit: a letter that is gone was written down, whoever reads."""
    ids = [letter.event_id for letter in letters]
    async with connection.transaction():
        whole = await dead_letters.whole(connection, ids)
        for letter in whole:
            print(as_json(asdict(replace(letter, payload=None) if dry_run else letter)))
        sys.stdout.flush()
        if not dry_run and await dead_letters.discard(connection, ids) != len(whole):
            raise PgmendError("somebody else is at work on these dead letters", hint="nothing of this batch went; try again")
    return whole


async def _rehearse_all(connection: Connection, wanted: LetterFilter, trial: "Trial", *, as_object: bool) -> int:
    is_clear, tried = True, 0
    try:
        async for letters in _batches(connection, wanted):
            by_id = {letter.event_id: letter for letter in letters}
            for event in await dead_letters.as_events(connection, list(by_id)):
                found = await trial.of(event)
                _print_rehearsal(by_id[event.event_id], found, as_object=as_object)
                is_clear, tried = is_clear and found.is_clear, tried + 1
    finally:
        await trial.end()
    _require_any(tried, wanted)
    return 0 if is_clear else FOUND_SOMETHING


async def require_trial(connection: Connection) -> None:
    """Refuse where this role could not do what the worker does: all it would find is its own lack of rights."""
    if not await profiles.may_heal(connection):
        hint = "connect as a login that belongs to pgmend_worker"
        raise PrivilegeMissingError("to try a heal or a replay takes the rights of the worker", hint=hint)


@dataclass(slots=True)
class Trial:
    """A session of its own for rehearsals, opened anew where one has cost it, as the worker's would be."""

    effective: Settings
    _connection: Connection | None = None

    async def of(self, event: Event) -> Rehearsal:
        """Rehearse one event."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(replace(self.effective.target, application_name="pgmend rehearsal"))
        policy, patience = self.effective.retry_policy, self.effective.lock_timeout_seconds
        return await rehearse(self._connection, event, policy, lock_seconds=patience)

    async def end(self) -> None:
        """Close the session."""
        if self._connection is not None and not self._connection.is_closed():
            await close(self._connection)


def _print_rehearsal(letter: DeadLetter, found: Rehearsal, *, as_object: bool) -> None:
    if as_object:
        print(as_json({"event_id": letter.event_id, "user_key": letter.user_key, **asdict(found)}), flush=True)
    else:
        say(rehearsal_lines(letter, found))


def _wanted(options: argparse.Namespace) -> LetterFilter:
    wanted = LetterFilter(tuple(options.event), options.verdict, options.constraint, options.user)
    if wanted == LetterFilter() and not options.all:
        options.usage_error("say which: EVENT, --verdict, --constraint, --user, or --all")
    return wanted


async def _batches(connection: Connection, wanted: LetterFilter) -> AsyncIterator[list[DeadLetter]]:
    """Yield what fits, newest first, a thousand at a time; what comes meanwhile is not among them."""
    before: int | None = None
    while letters := await dead_letters.listed(connection, replace(wanted, before=before), limit=BATCH):
        yield letters
        before = letters[-1].event_id


def _require_any(found: int, wanted: LetterFilter) -> None:
    if not found and wanted.event_ids:
        ids = ", ".join(map(str, wanted.event_ids))
        raise NoSuchEventError(f"no dead letter of these: {ids}", hint="pgmend dead-letters list shows what lies there")


def _ask(letters: list[DeadLetter]) -> None:
    """Ask about a single letter on a terminal; refuse anything else."""
    hint = "--dry-run says what would go, --yes lets it go"
    if len(letters) > 1:
        raise ConfirmationNeededError("more than one dead letter would go", hint=hint)
    if not sys.stdin.isatty():
        raise ConfirmationNeededError("nobody can be asked: this is no terminal", hint=hint)
    letter = letters[0]
    what = f"with its captured row of {letter.referencing_table}" if letter.referencing_table else f"which {COMES_BACK}"
    asked = f"discard event {letter.event_id} of user {brief(letter.user_key)} ({letter.verdict}), {what}? [y/N] "
    print(*shown([asked]), end="", file=sys.stderr)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise ConfirmationNeededError("nothing was discarded", hint=hint)
