"""The plan of a repair: what would be done to how many rows, for each reference and reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from worker.core.reference import People, Reference


@dataclass(frozen=True, slots=True)
class KnownSource:
    """An attached profile source, and whether it is stopped."""

    source_id: int
    people: People
    is_paused: bool


@dataclass(frozen=True, slots=True)
class PlannedReference:
    """A reference that is looked at.

    ``sources``: all that make the profiles to which it leads. ``selection`` finds its orphans. ``is_guess``: found by its name
    only, and not acted on.
    """

    reference: Reference
    sources: tuple[KnownSource, ...]
    selection: str
    is_guess: bool

    @property
    def source(self) -> KnownSource | None:
        """Return the first source, or None where the reference is none to profiles."""
        return next(iter(self.sources), None)

    @property
    def people(self) -> list[People]:
        """Return the people of all sources."""
        return [source.people for source in self.sources]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """The orphans of one reason: rows, distinct keys, and what is done with them. ``strategy`` None: they are left alone."""

    where: PlannedReference
    reason: str
    rows: int
    keys: int
    strategy: str | None
    argument: str | None = None
    why: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    along: Mapping[str, int] | None = field(default_factory=dict)
    """The rows that go along with those that are taken away, by table; None where nobody has counted them."""

    @property
    def takes_rows(self) -> bool:
        """Return whether rows are taken away, with whatever refers to them."""
        return self.strategy in {"quarantine", "delete"}

    @property
    def acts(self) -> bool:
        """Return whether anything is done."""
        return self.strategy is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """What was looked at, and what would be done, in order. ``strange``: references in tables of strangers, not looked at."""

    references: tuple[PlannedReference, ...]
    steps: tuple[PlannedStep, ...]
    strange: tuple[Reference, ...] = ()

    @property
    def acting(self) -> tuple[PlannedStep, ...]:
        """Return the steps that do something: healing first, since it leaves less for the others."""
        return tuple(sorted((step for step in self.steps if step.acts), key=lambda step: step.strategy != "heal"))

    def as_json(self) -> dict[str, object]:
        """Return what a machine reads."""
        return {
            "references": [
                {
                    "reference": listed.reference.name,
                    "constraint": listed.reference.constraint_name,
                    "is_validated": listed.reference.is_validated,
                    "on_delete": listed.reference.on_delete,
                    "is_guess": listed.is_guess,
                }
                for listed in self.references
            ],
            "strange": [{"reference": it.name, "owner": it.stranger} for it in self.strange],
            "steps": [
                {
                    "reference": step.where.reference.name,
                    "reason": step.reason,
                    "rows": step.rows,
                    "keys": step.keys,
                    "strategy": step.strategy,
                    "argument": step.argument,
                    "why": step.why,
                    "rows_along": dict(step.along) if step.along is not None else None,
                }
                for step in self.steps
            ],
        }
