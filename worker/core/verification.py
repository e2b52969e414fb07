"""What has to hold of references, check by check: ``pgmend verify`` prints it, and ``pgmend diagnose`` finds what does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from worker.core.diagnosis import Diagnosis, Examined, Standing
from worker.core.table_names import shown

State = Literal["holds", "fails", "unseen", "warns"]
"""``unseen``: nobody could look, which is no proof. ``warns``: does not hold, and is not counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one table or reference, and what was seen."""

    state: State
    name: str
    subject: str
    what: str

    @property
    def is_passed(self) -> bool:
        """Return whether nobody has to act."""
        return self.state in {"holds", "warns"}


def checks(diagnosis: Diagnosis, *, strict: bool = False) -> tuple[Check, ...]:
    """Return all checks. ``strict``: a key without an index fails; without it that is a warning."""
    found = [_every_user_has_a_profile(standing) for standing in diagnosis.standings]
    for examined in diagnosis.examined:
        found += _of_reference(examined, strict=strict)
    return tuple(found)


def _every_user_has_a_profile(standing: Standing) -> Check:
    subject = f"{shown(standing.people.users_table)} -> {shown(standing.people.profiles_table)}"
    coverage = standing.coverage
    if coverage is None:
        return Check("unseen", "profiles_complete", subject, standing.unseen)
    what = f"{coverage.missing:,} of {coverage.eligible:,} eligible users have no profile"
    if not coverage.missing:
        return Check("holds", "profiles_complete", subject, what)
    return Check("fails", "profiles_complete", subject, f"{what}: with a source attached, pgmend heal --all makes them")


def _of_reference(examined: Examined, *, strict: bool) -> Iterator[Check]:
    yield _no_orphans(examined)
    yield _key_present(examined)
    reference = examined.reference
    if reference.constraint_name is not None:
        state: State = "holds" if reference.is_validated else "fails"
        what = f"{reference.constraint_name} is {'validated' if reference.is_validated else 'NOT VALID'}"
        yield Check(state, "key_validated", examined.name, what)
    if not examined.index_is_known:
        yield Check("unseen", "key_indexed", examined.name, examined.unseen)
    elif examined.index_name is not None:
        yield Check("holds", "key_indexed", examined.name, examined.index_name)
    else:
        columns = ", ".join(reference.referencing_columns)
        yield Check("fails" if strict else "warns", "key_indexed", examined.name, f"no index begins with {columns}")


def _no_orphans(examined: Examined) -> Check:
    if examined.is_guess_of_a_stranger:
        return Check("warns", "no_orphans", examined.name, f"not seen: {examined.unseen}")
    if examined.unseen:
        return Check("unseen", "no_orphans", examined.name, examined.unseen)
    reasons = ", ".join(f"{tally.orphans:,} {tally.reason}" for tally in examined.tallies)
    what = f"{examined.orphans:,} orphans" + (f": {reasons}" if reasons else "")
    return Check("fails" if examined.orphans else "holds", "no_orphans", examined.name, what)


def _key_present(examined: Examined) -> Check:
    if examined.reference.constraint_name is not None:
        return Check("holds", "key_present", examined.name, examined.reference.constraint_name)
    if examined.is_guess_of_a_stranger:
        return Check("warns", "key_present", examined.name, "no foreign key, and none of the application's tables")
    return Check("fails", "key_present", examined.name, f"no foreign key{f'; {it}' if (it := examined.mismatch) else ''}")
