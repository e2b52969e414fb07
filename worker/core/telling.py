"""A proposal told in other ways than SQL: as data for a program, and as what was done."""

from collections.abc import Iterator
from typing import Any

from worker.core.guarding import GuardChoice
from worker.core.naming import Found, spelled
from worker.core.proposal import Proposal, Surroundings
from worker.core.recipe import Line
from worker.core.rendering import render
from worker.core.wording import counted


def as_data(proposal: Proposal, around: Surroundings) -> dict[str, Any]:
    """Return the proposal as what JSON can hold."""
    return {
        "users": _found(proposal.pair.users),
        "profiles": _found(proposal.pair.profiles),
        "recipe": [_line(line) for line in proposal.lines],
        "recipe_function": proposal.function.signature if proposal.function else None,
        "undecided": list(proposal.undecided),
        "eligible_when": proposal.eligible.text,
        "erased_when": proposal.erased.text,
        "guards": [_guard(choice) for choice in proposal.guards],
        "grants": list(proposal.grants),
        "writers": [{"role": writer.quoted, "tables": list(writer.tables)} for writer in around.writers],
        "users_without_profile": around.lacking,
        "missing_rights": list(around.missing_rights),
        "dead_letters": dict(around.letters),
        "source_id": proposal.attached.source_id if proposal.attached else None,
        "differences": list(proposal.differences),
        "changes_nothing": proposal.changes_nothing,
        "sql": render(proposal, around),
    }


def done(proposal: Proposal) -> Iterator[str]:
    """Yield a line for each thing that applying the proposal does."""
    users, profiles = spelled(proposal.pair.users), spelled(proposal.pair.profiles)
    if proposal.changes_nothing:
        yield f"nothing to do: {users} -> {profiles} is attached like that"
    if proposal.changes_source:
        yield f"attached {users} -> {profiles}"
    for choice in proposal.changed_guards:
        yield f"guarded {choice.key.referencing_table} {choice.key.quoted}: {choice.mode}"
    yield from (f"granted the captures to {role}" for role in proposal.grants)


def next_steps(around: Surroundings) -> Iterator[str]:
    """Yield what to do when the proposal is applied, a line each."""
    yield "next: pgmend doctor looks whether everything is in order, pgmend run heals"
    for verdict, letters in around.letters.items():
        what = f"{counted(letters, 'dead letter')} of this source {'waits' if letters == 1 else 'wait'} for a person"
        yield f"      {what}: pgmend dead-letters requeue --verdict {verdict}, with --dry-run first"


def _found(found: Found) -> dict[str, str]:
    return {"table": found.table.quoted, "key": found.key.name, "type": found.key.type_name, "reason": found.reason}


def _line(line: Line) -> dict[str, Any]:
    return {"column": line.column.name, "expression": line.expression, "undecided": line.is_undecided, "reason": line.reason}


def _guard(choice: GuardChoice) -> dict[str, Any]:
    return {
        "table": choice.key.referencing_table,
        "constraint": choice.key.name,
        "mode": choice.mode,
        "reason": choice.reason,
        "changes": choice.is_new or choice.is_to_go,
    }
