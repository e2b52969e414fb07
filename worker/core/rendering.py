"""A proposal as SQL: one file for an editor or a folder of migrations, with the reason of every choice as a comment."""

import json
from collections.abc import Iterator

from worker.core.guarding import GuardChoice
from worker.core.naming import Found, spelled
from worker.core.proposal import MOST_COUNTED, Proposal, Surroundings
from worker.core.quoting import dollar_quoted, literal, remark
from worker.core.signature import of_replay

LOCK_TIMEOUT = "500ms"
"""Shorter than ``deadlock_timeout``: whoever meets us in a deadlock is never the one who is ended."""


def render(proposal: Proposal, around: Surroundings) -> str:
    """Return the whole file."""
    head = "\n".join(remark(line) for line in _head(proposal, around))
    if proposal.changes_nothing:
        return f"{head}\n"
    return f"{head}\n\nbegin;\n\n{body(proposal, around)}\n\ncommit;\n"


def body(proposal: Proposal, around: Surroundings) -> str:
    """Return what stands between ``begin`` and ``commit``."""
    return "\n\n".join(_parts(proposal, around))


def told_count(lacking: int | None) -> str:
    """Return how many users have no profile, in words."""
    if lacking is None:
        return "it could not be counted how many users have no profile"
    if lacking > MOST_COUNTED:
        return f"more than {MOST_COUNTED:,} users have no profile"
    return "every user who should have a profile has one" if lacking == 0 else f"users without a profile: {lacking:,}"


def _head(proposal: Proposal, around: Surroundings) -> Iterator[str]:
    yield f"pgmend attach: proposed for the database {around.database_name}, as the role {around.role_name}."
    if proposal.attached and proposal.changes_nothing:
        yield f"These tables are attached as source {proposal.attached.source_id}, and nothing differs: there is nothing to do."
    elif proposal.attached:
        yield f"These tables are attached as source {proposal.attached.source_id}; only what differs is written here."
    else:
        yield "Nothing is changed before this is run, by you or by pgmend attach --apply."
    yield ""
    yield f"users     {_told(proposal.pair.users)}"
    yield f"profiles  {_told(proposal.pair.profiles)}"
    yield f"now       {told_count(around.lacking)}" + ("; the worker's sweep heals them" if around.lacking else "")
    if around.letters:
        told = ", ".join(f"{letters:,} {verdict}" for verdict, letters in around.letters.items())
        yield f"          but not those with a dead letter ({told}): they wait for pgmend dead-letters requeue"
    if proposal.undecided:
        yield f"open      {', '.join(proposal.undecided)}: only you can decide; write it to a file and name that, --recipe FILE"
    if not proposal.changes_nothing:
        yield from _locks(proposal)
    yield from (f"lacking   the right that this gives: grant {right} to {around.role_name}" for right in around.missing_rights)
    for found in (proposal.pair.users, proposal.pair.profiles):
        if found.table.hides_rows:
            yield f"beware    row security of {found.table.quoted} holds for {around.role_name}: what it hides stays unhealed"
    yield from (f"differs   {difference}" for difference in proposal.differences)


def _told(found: Found) -> str:
    return f"{spelled(found)} ({found.key.type_name}): {found.reason}"


def _locks(proposal: Proposal) -> Iterator[str]:
    if proposal.changes_source:
        table = proposal.pair.users.table.quoted
        yield f"locks     {table}: sign-ups wait for an instant while the trigger is made (ShareRowExclusive)"
    touched = (choice for choice in proposal.changed_guards if choice.mode in {"ensure", "park"} or choice.standing)
    if tables := sorted({choice.key.referencing_table for choice in touched}):
        yield f"locks     {', '.join(tables)}: writes wait for an instant while triggers are made or go"
    yield f"          A lock that does not come within {LOCK_TIMEOUT} is given up, and nothing is changed: then run it again."


def _parts(proposal: Proposal, around: Surroundings) -> Iterator[str]:
    yield f"set local lock_timeout = '{LOCK_TIMEOUT}';"
    if proposal.changes_source:
        yield "\n".join((*(remark(line) for line in _recipe_remarks(proposal)), _attach(proposal)))
    for choice in proposal.guards:
        reason = remark(f"{choice.key.referencing_table}, key {choice.key.quoted}: {choice.reason}")
        yield f"{reason}\n{_guard(choice)}" if choice.is_new or choice.is_to_go else reason
    if grants := _grants(proposal, around):
        yield grants


def _recipe_remarks(proposal: Proposal) -> Iterator[str]:
    if proposal.function:
        yield f"The application's own function makes a profile: {proposal.function.signature}"
    else:
        yield "What a profile is made of. Expressions are over the users row, which is called users; names need their schemas."
        key = proposal.pair.profiles.key.quoted
        width = max(len(name) for name in (key, *(line.column.quoted for line in proposal.lines)))
        yield f"  {key:{width}}  the user's key"
        yield from (f"  {line.column.quoted:{width}}  {line.reason}" for line in proposal.lines)
    yield f"Who is eligible: {proposal.eligible.reason}."
    yield f"Who is erased: {proposal.erased.reason}."


def _attach(proposal: Proposal) -> str:
    users, profiles = proposal.pair.users, proposal.pair.profiles
    arguments = {
        "users_table": literal(users.table.quoted),
        "users_key": literal(users.key.name),
        "profiles_table": literal(profiles.table.quoted),
        "profiles_key": literal(profiles.key.name),
    }
    if proposal.function:
        arguments["recipe_function"] = literal(proposal.function.signature)
    else:
        arguments["recipe"] = _recipe(proposal.recipe)
    arguments |= {"eligible_when": literal(proposal.eligible.text), "erased_when": literal(proposal.erased.text)}
    return _call("attach_source", arguments)


def _recipe(recipe: dict[str, str]) -> str:
    if not recipe:
        return "'{}'"
    text = json.dumps(recipe, indent=8, ensure_ascii=False)
    return dollar_quoted(f"{text[:-1]}    }}", "recipe")


def _call(function: str, arguments: dict[str, str]) -> str:
    listed = ",\n".join(f"    {name} => {value}" for name, value in arguments.items())
    return f"select pgmend.{function}(\n{listed}\n);"


def _guard(choice: GuardChoice) -> str:
    names = f"{literal(choice.key.referencing_table)}, {literal(choice.key.name)}"
    if choice.is_to_go:
        return f"select pgmend.unguard({names});"
    return f"select pgmend.guard({names}, mode => {literal(choice.mode)}{_kept(choice)});"


def _kept(choice: GuardChoice) -> str:
    """Return the settings of the guard that stands, which a change of its mode must not lose."""
    standing = choice.standing
    if standing is None:
        return ""
    kept = [f"unknown_user_grace => {literal(standing.unknown_user_grace) if standing.unknown_user_grace else 'null'}"]
    if standing.replay_function:
        kept.append(f"replay_function => {literal(of_replay(standing.replay_function))}")
        kept.append(f"replayed_error_type => {literal(standing.replayed_error_type)}")
    return "".join(f", {setting}" for setting in kept)


def _grants(proposal: Proposal, around: Surroundings) -> str:
    others = [writer for writer in around.writers if writer.quoted not in proposal.grants]
    if not (others or proposal.grants):
        return ""
    lines = [
        remark(
            "Who calls pgmend.insert_or_park or pgmend.report_failed_insert, or writes under the mode park, needs the grant that"
        ),
        remark("follows. It opens those functions to the role and no table; plain inserts, also under ensure, need none."),
    ]
    lines += [f"select pgmend.grant_captures({literal(role)});" for role in proposal.grants]
    for writer in others:
        tables = ", ".join(writer.tables)
        grant = "everybody may insert, too" if writer.is_everybody else f"select pgmend.grant_captures({literal(writer.quoted)});"
        lines.append(remark(f"{grant}  -- {tables}"))
    return "\n".join(lines)
