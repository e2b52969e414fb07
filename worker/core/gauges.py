"""Gauges: what is read of an observation, under which name. Gauges that the observation does not answer are not shown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from worker.core.decision import LETTER_VERDICTS
from worker.core.observation import LEASE_STATES, Observation, SourceState

Seen = TypeVar("Seen")
Values = Iterable[tuple[tuple[str, ...], float | None]]


@dataclass(frozen=True, slots=True)
class Gauge(Generic[Seen]):
    """A name, what it says, its labels, and how it is read: the label values, each with a number or None."""

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[Seen], Values]


def _of_sources(number: Callable[[SourceState], float | None]) -> Callable[[Observation], Values]:
    return lambda seen: [((source.name,), number(source)) for source in seen.sources]


def _dead_letters(seen: Observation) -> Values:
    letters = {**dict.fromkeys(map(str, LETTER_VERDICTS), 0), **seen.dead_letters}
    return [((verdict,), number) for verdict, number in letters.items()]


def _alone(number: Callable[[Observation], float]) -> Callable[[Observation], Values]:
    return lambda seen: [((), number(seen))]


GAUGES: tuple[Gauge[Observation], ...] = (
    Gauge("pgmend_schema_version", "The newest migration that is applied", (), _alone(lambda seen: seen.schema_version)),
    Gauge(
        "pgmend_outbox_events",
        "Events in the outbox by lane, counted up to a hundred thousand",
        ("lane",),
        lambda seen: [((lane,), events) for lane, events in seen.outbox.items()],
    ),
    Gauge(
        "pgmend_outbox_oldest_due_age_seconds",
        "How long the oldest event has been due, that of a paused source included",
        (),
        _alone(lambda seen: seen.oldest_due_age),
    ),
    Gauge(
        "pgmend_dead_letters",
        "Dead letters that lie there by verdict, counted up to a hundred thousand",
        ("verdict",),
        _dead_letters,
    ),
    Gauge(
        "pgmend_source_info",
        "The tables of a profile source",
        ("source", "users_table", "profiles_table"),
        lambda seen: [((it.name, it.users_table, it.profiles_table), 1) for it in seen.sources],
    ),
    Gauge(
        "pgmend_source_paused",
        "Whether a profile source is paused, by a person or by a sweep that found more than expected",
        ("source",),
        _of_sources(lambda source: source.is_paused),
    ),
    Gauge(
        "pgmend_source_failing",
        "Whether nothing of a profile source can be healed or counted, whoever the user is; its counts are those of before",
        ("source",),
        _of_sources(lambda source: source.failure is not None),
    ),
    Gauge(
        "pgmend_users", "Users who are entitled to a profile, at the last count", ("source",), _of_sources(lambda it: it.users)
    ),
    Gauge(
        "pgmend_users_without_profile",
        "Users entitled to a profile who had none at the last count",
        ("source",),
        _of_sources(lambda it: it.without_profile),
    ),
    Gauge(
        "pgmend_profile_coverage_ratio",
        "The share of the users who had their profile at the last count",
        ("source",),
        _of_sources(lambda it: it.coverage),
    ),
    Gauge(
        "pgmend_users_overdue",
        "Users without a profile of whom no event of the last minute speaks",
        ("source",),
        _of_sources(lambda it: it.overdue),
    ),
    Gauge(
        "pgmend_users_overdue_age_seconds",
        "For how long every count has found some user overdue",
        ("source",),
        _of_sources(lambda it: it.overdue_age),
    ),
    Gauge(
        "pgmend_integrity_counted_age_seconds",
        "How long ago a sweep of any worker has counted the users of a source",
        ("source",),
        _of_sources(lambda it: it.counted_age),
    ),
    Gauge(
        "pgmend_orphans",
        "Rows that lead nowhere, by foreign key or column that the worker may read, at the last count; the two hundred worst",
        ("reference",),
        lambda seen: [((it.reference,), it.orphans) for it in seen.references],
    ),
    Gauge(
        "pgmend_orphans_age_seconds",
        "For how long every count has found orphans of a reference",
        ("reference",),
        lambda seen: [((it.reference,), it.orphans_age) for it in seen.references],
    ),
    Gauge(
        "pgmend_workers",
        "Workers of this database that were seen within three of their heartbeats and the time that one may take; "
        "listening: of them, who hear the doorbell",
        ("state",),
        lambda seen: [(("alive",), seen.workers_alive), (("listening",), seen.workers_listening)],
    ),
    Gauge(
        "pgmend_doorbell_lease",
        "What the doorbell's lease says: all asleep, a worker looking once more, a worker awake",
        ("state",),
        lambda seen: [((state,), seen.lease == state) for state in LEASE_STATES],
    ),
)
