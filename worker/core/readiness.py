"""The judgement of the probes, from vital signs and the last observation: a database that hangs delays no answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.core.observation import Observation, SourceState
from worker.core.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a probe is red: a name for machines, what is so, the detail, and what to do."""

    code: str
    what: str
    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a ready worker's database may look like: seconds and users. ``schema_version``: the newest migration it knows."""

    schema_version: int
    outbox_age: float
    debt_users: int
    debt_age: float
    observation_age: float
    deaf_is_ready: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The last observation and its age in seconds, or why the last look has brought none."""

    observation: Observation | None = None
    age: float = 0.0
    failure: str = ""
    failure_code: str = "database_unseen"
    failure_hint: str = ""


STATES = (
    "starting",
    "stopping",
    "disconnected",
    "deaf",
    "log_lost",
    "database_unseen",
    "schema_behind",
    "outbox_old",
    "debt_large",
    "debt_old",
    "source_paused",
    "source_failing",
)
"""The codes of all reasons for which a worker is not ready."""


def lateness(vitals: Vitals) -> list[Reason]:
    """Return the tasks that are late: a worker that hangs is restarted, one that waits for the database is not."""
    return [
        Reason(
            "overdue",
            f"the {pulse.name} hangs",
            f"{pulse.doing}, {late:.0f} s longer than it may",
            "restart this worker; what was in flight is rolled back and claimed again",
        )
        for pulse in vitals
        if (late := pulse.overdue())
    ]


def startup(vitals: Vitals) -> list[Reason]:
    """Return why the worker has not started yet."""
    if vitals.has_started:
        return []
    hint = "wait; its log says what it waits for"
    return [Reason("starting", "the worker has not started yet", "the database has not been seen ready", hint)]


def unreadiness(vitals: Vitals, seen: Seen, limits: Limits) -> list[Reason]:
    """Return every reason for which this worker is not ready."""
    if vitals.is_stopping:
        return [Reason("stopping", "the worker is stopping", "it finishes what is in flight", "nothing: another worker goes on")]
    if waiting := startup(vitals):
        return waiting
    return [*_connections(vitals, limits), *_log(vitals), *_database(seen, limits)]


def _connections(vitals: Vitals, limits: Limits) -> Iterator[Reason]:
    for pulse in (*vitals.consumers, vitals.listener):
        if not pulse.is_connected:
            hint = "look at the server, and at connection_failed in the log; it connects again by itself"
            yield Reason("disconnected", f"the {pulse.name} has no connection", pulse.doing, hint)
    if vitals.listener.is_connected and not vitals.hears and not limits.deaf_is_ready:
        yield Reason(
            "deaf",
            "the listener hears no ring",
            "a ring on a second connection did not arrive; the worker polls",
            "set PGMEND_LISTEN_URL to a direct address, or PGMEND_READY_WHEN_DEAF=true if polling is meant",
        )


def _log(vitals: Vitals) -> Iterator[Reason]:
    if vitals.log_failure:
        hint = "restart this worker once somebody reads its output again; what it does is audited all the same"
        yield Reason("log_lost", "the log cannot be written", vitals.log_failure, hint)


def _database(seen: Seen, limits: Limits) -> Iterator[Reason]:
    if seen.observation is None or seen.age > limits.observation_age:
        detail = seen.failure or f"the last answer is {seen.age:.0f} s old, the limit is {limits.observation_age:g}"
        hint = seen.failure_hint or "look at the server and the network in between"
        yield Reason(seen.failure_code, "the database does not say how it is", detail, hint)
        return
    observation = seen.observation
    if observation.schema_version < limits.schema_version:
        detail = f"migration {observation.schema_version} is applied, this version wants {limits.schema_version}"
        yield Reason("schema_behind", "the schema is older than this worker", detail, "run pgmend migrate")
    if observation.oldest_due_age > limits.outbox_age:
        detail = f"{observation.oldest_due_age:.0f} s, the limit is {limits.outbox_age:g}"
        yield Reason(
            "outbox_old", "an event has been due for too long", detail, "pgmend doctor; is a source paused, a lock held?"
        )
    yield from _debt(observation, limits)
    for source in observation.sources:
        if source.is_paused:
            detail = f"source {source.name} ({source.users_table}): {source.paused_because or 'no reason given'}"
            yield Reason("source_paused", "a profile source is paused", detail, _look_first(source))
        if source.failure is not None:
            yield Reason("source_failing", "nothing of a profile source can be healed", _failing(source), _FAILING_HINT)


_FAILING_HINT = "pgmend doctor names what is wrong and how to attach the source again, which makes what waits due at once"


def _look_first(source: SourceState) -> str:
    return f"first find out where the profiles went: pgmend diagnose; then pgmend resume --source {source.name}"


def _failing(source: SourceState) -> str:
    counted = "never" if source.counted_age is None else f"{source.counted_age:.0f} s ago"
    return (
        f"source {source.name} ({source.users_table}): {source.failure}; for {source.failing_age or 0:.0f} s, "
        f"events that come back with it: {source.failing_events}; users last counted {counted}"
    )


def _debt(observation: Observation, limits: Limits) -> Iterator[Reason]:
    if observation.overdue > limits.debt_users:
        detail = f"{observation.overdue} users, the limit is {limits.debt_users}"
        yield Reason("debt_large", "too many users have no profile", detail, "look at the dead letters and at pgmend diagnose")
    if observation.overdue_age > limits.debt_age:
        detail = f"for {observation.overdue_age:.0f} s, the limit is {limits.debt_age:g}"
        yield Reason(
            "debt_old", "users have had no profile for too long", detail, "look at the dead letters and at pgmend diagnose"
        )
