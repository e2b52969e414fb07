"""What the doctor looks at, one function a part: rows from the store, judged by the core, and facts for its head."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from worker.core.doctor.keys import judge_guards, judge_keys
from worker.core.doctor.rights import judge_audit, judge_openings, judge_worker_role, judge_writers
from worker.core.doctor.sources import judge_altered, judge_conditions, judge_failure, judge_owner, judge_sources
from worker.core.doctor.triggers import judge_triggers
from worker.core.doctor.users import judge_absences
from worker.core.doctor.wording import Source
from worker.core.doctor.work import judge_backlog, judge_letters, judge_worker
from worker.core.finding import Finding
from worker.errors import NameUnknownError
from worker.store import doctor, integrity, profiles, workers
from worker.store.connection import Connection


@dataclass(slots=True)
class Sight:
    """What one run has seen so far: facts for people, and what later looks go by."""

    worker_role: str | None = None
    """The role that is judged as the worker's: as a person named it, and once it was looked at, whoever it is."""
    facts: dict[str, str] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    """The sources whose tables and columns are there."""
    paused: set[int] = field(default_factory=set)
    """Those of them that a person has to resume."""
    unjudged: set[int] = field(default_factory=set)
    """Those of them whose conditions raise: nothing that asks them is looked at."""
    role_may_work: bool = False
    """Whether the role of this connection could do the worker's work, whoever is judged."""


Look = Callable[[Connection, Sight], Awaitable[list[Finding]]]


async def at_worker_role(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the role of the worker, which need not be that of this connection."""
    judged, own = await doctor.judged_role(connection, sight.worker_role)
    if judged is None:
        raise NameUnknownError(f"there is no role {sight.worker_role}", hint="--worker-role is the login of pgmend run")
    lacking = await doctor.lacking_rights(connection)
    role = await doctor.worker_role(connection)
    sight.worker_role = judged
    sight.role_may_work = not lacking and (role.group_exists or role.owns_schema)
    if judged != own:
        lacking = await doctor.lacking_rights(connection, judged)
        role = await doctor.worker_role(connection, judged)
        sight.facts["judged role"] = f"{role.role}, as the worker's"
    return judge_worker_role(role, lacking)


async def at_writers(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at whom the worker has to replay for."""
    return judge_writers(await doctor.writers(connection, sight.worker_role))


async def at_openings(connection: Connection, _sight: Sight) -> list[Finding]:
    """Look at what is open to everybody."""
    return judge_openings(await doctor.openings(connection))


async def at_audit(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the audit table."""
    return judge_audit(await doctor.audit(connection, sight.worker_role))


async def at_sources(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the profile sources."""
    states = await doctor.sources(connection)
    sight.facts["sources"] = ", ".join(state.source.name for state in states) or "none"
    sight.sources = [
        state.source for state in states if state.source.users_table and state.source.profiles_table and not state.columns_gone
    ]
    sight.paused = {state.source.source_id for state in states if state.paused_at is not None}
    return judge_sources(states)


def at_conditions(source: Source) -> Look:
    """Return the look at the conditions of one source."""

    async def look(connection: Connection, sight: Sight) -> list[Finding]:
        refused = await profiles.refused_conditions(connection, source.source_id)
        if refused:
            sight.unjudged.add(source.source_id)
        return judge_conditions(source, refused)

    return look


def at_failure(source: Source) -> Look:
    """Return the look at what the last sweep has kept of one source. Its conditions are not told twice."""

    async def look(connection: Connection, sight: Sight) -> list[Finding]:
        if source.source_id in sight.unjudged:
            return []
        return judge_failure(source, await integrity.failure(connection, source.source_id))

    return look


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
    sight.facts["worker"] = f"seen {last.at_work:,.1f} s ago" if last.is_alive else last.said()
    return judge_worker(last)


async def at_backlog(connection: Connection, sight: Sight) -> list[Finding]:
    """Look at the outbox."""
    backlog = await doctor.backlog(connection)
    sight.facts["outbox"] = backlog.said
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
        return judge_absences(absences, is_paused=source.source_id in sight.paused)

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
