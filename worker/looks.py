"""What the doctor looks at, one function a part: rows from the store, judged by the core, and facts for its head."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from worker.core.doctor.keys import judge_guards, judge_keys
from worker.core.doctor.rights import judge_audit, judge_openings, judge_worker_role, judge_writers
from worker.core.doctor.sources import judge_altered, judge_owner, judge_sources
from worker.core.doctor.triggers import judge_triggers
from worker.core.doctor.users import judge_absences
from worker.core.doctor.wording import Source
from worker.core.doctor.work import judge_backlog, judge_letters, judge_worker
from worker.core.finding import Finding
from worker.store import doctor, workers
from worker.store.connection import Connection


@dataclass(slots=True)
class Sight:
    """What one run has seen so far: facts for people, and what later looks go by."""

    worker_silence: float
    """How many seconds a worker may be silent."""
    facts: dict[str, str] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    """The sources whose tables and columns are there."""
    role_may_work: bool = False


Look = Callable[[Connection, Sight], Awaitable[list[Finding]]]


async def at_worker_role(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the role of this connection."""
    lacking = await doctor.lacking_rights(connection)
    role = await doctor.worker_role(connection)
    sight.role_may_work = not lacking and (role.group_exists or role.owns_schema)
    return judge_worker_role(role, lacking)


async def at_writers(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at whom the worker has to replay for."""
    return judge_writers(await doctor.writers(connection))


async def at_openings(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at what is open to everybody."""
    return judge_openings(await doctor.openings(connection))


async def at_audit(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at the audit table."""
    return judge_audit(await doctor.audit(connection))


async def at_sources(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the profile sources."""
    states = await doctor.sources(connection)
    sight.facts["sources"] = ", ".join(state.source.name for state in states) or "none"
    sight.sources = [
        state.source for state in states if state.source.users_table and state.source.profiles_table and not state.columns_gone
    ]
    return judge_sources(states)


async def at_altered_functions(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at the bodies of the sign-up functions."""
    return judge_altered(await doctor.altered(connection))


async def at_owners(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at what the owners of the functions may do."""
    return [finding for state in await doctor.owners(connection) for finding in judge_owner(state)]


async def at_triggers(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at the application's own triggers."""
    return judge_triggers(await doctor.triggers(connection))


async def at_keys(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the foreign keys to the profiles."""
    keys = await doctor.keys(connection)
    sight.facts["keys"] = f"{len(keys)} to the profiles, {sum(key.is_guarded for key in keys)} guarded"
    return judge_keys(keys)


async def at_guards(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at the guards."""
    return judge_guards(await doctor.guards(connection))


async def at_workers(connection: Connection, sight: Sight) -> list[Finding]:
    """Look for a worker that lives."""
    last = await workers.last_seen(connection, None)
    is_alive = last.is_alive(sight.worker_silence)
    sight.facts["worker"] = f"seen {last.at_work:,.1f} s ago" if is_alive else last.said()
    return judge_worker(last, sight.worker_silence)


async def at_backlog(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the outbox."""
    backlog = await doctor.backlog(connection)
    overdue = f", the oldest due for {backlog.overdue:,.1f} s" if backlog.overdue > 0 else ""
    sight.facts["outbox"] = f"{backlog.events:,} events{overdue}"
    return judge_backlog(backlog)


async def at_letters(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the dead letters."""
    letters = await doctor.letters(connection)
    sight.facts["dead letters"] = f"{sum(letter.count for letter in letters):,}"
    return judge_letters(letters)


def at_absences(source: Source) -> Look:
    """Return the look at the users without profile of one source."""

    async def look(connection: Connection, sight: Sight) -> list[Finding]:
        absences = await doctor.absences(connection, source)
        sight.facts[f"users without profile, source {source.source_id}"] = f"{absences.count:,}"
        return judge_absences(absences)

    return look


LOOKS: dict[str, Look] = {
    "the rights of the worker": at_worker_role,
    "the roles of the writers": at_writers,
    "what is open to others": at_openings,
    "the audit table": at_audit,
    "the profile sources": at_sources,
    "the body of the sign-up functions": at_altered_functions,
    "the owners of the sources' functions": at_owners,
    "the application's triggers": at_triggers,
    "the foreign keys": at_keys,
    "the guards": at_guards,
    "the workers": at_workers,
    "the outbox": at_backlog,
    "the dead letters": at_letters,
}
"""The looks that every installation gets, in order, by what they are called where one is denied."""
