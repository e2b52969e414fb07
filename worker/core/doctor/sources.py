"""Judgements on a profile source: whether what was attached still stands."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from worker.core.doctor.wording import Source, attach_call, generate_call
from worker.core.finding import Finding, found
from worker.core.source_failure import RefusedCondition, SourceFailure
from worker.core.wording import counted

ANEW = "a condition over users.…"
"""Stands in a command for what only a person can say. The server refuses it."""

_FIRES_FOR_NO_SIGN_UP = {"D": "it is disabled", "R": "it fires in replicas only"}


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the catalog says of a source now.

    ``trigger_enabled`` is ``tgenabled``, None when the trigger is gone. Lists name what is missing or in the way.
    """

    source: Source
    paused_at: str | None
    paused_because: str | None
    columns_gone: tuple[str, ...]
    required_columns: tuple[str, ...]
    functions_missing: tuple[str, ...]
    key_type_changed: bool | None
    trigger_enabled: str | None
    trigger_calls: str | None
    trigger_is_ours: bool | None
    function_is_definer: bool | None


@dataclass(frozen=True, slots=True)
class OwnerState:
    """What the owner of a source's functions may do. ``lacking`` holds grants: ``update on public.users``."""

    source_id: int
    owner: str
    lacking: tuple[str, ...]
    hidden_tables: tuple[str, ...]


def judge_sources(states: list[SourceState]) -> list[Finding]:
    """Return what is wrong with the sources, and whether there is one."""
    if not states:
        return [found("nothing_attached", "pgmend.profile_sources", what="it is empty", mend="pgmend attach")]
    return [finding for state in states for finding in judge_source(state)]


def judge_source(state: SourceState) -> list[Finding]:
    """Return what is wrong with one source. What follows from a table that is gone is not said again."""
    source = state.source
    if source.users_table is None or source.profiles_table is None:
        mend = f"delete from pgmend.profile_sources where source_id = {source.source_id};"  # noqa: S608 - shown, not run
        return [found("source_table_gone", source.name, what="a table of it was dropped", mend=mend)]
    return [*_pause(state), *_columns(state), *_functions(state), *_trigger(state)]


def _pause(state: SourceState) -> list[Finding]:
    if state.paused_at is None:
        return []
    what = f"since {state.paused_at}: {state.paused_because}"
    mend = f"select pgmend.resume_source({state.source.source_id}); -- but look first where the profiles went: pgmend diagnose"
    return [found("source_paused", state.source.name, what=what, mend=mend)]


def judge_conditions(source: Source, refused: Sequence[RefusedCondition]) -> list[Finding]:
    """Return which conditions of a source raise, and how to say them anew: all of them at once, or the other is in the way."""
    options = " ".join(f"--{it.name.replace('_', '-')} {shlex.quote(ANEW)}" for it in refused)
    tables = f"--users {shlex.quote(source.users_table or '…')} --profiles {shlex.quote(source.profiles_table or '…')}"
    mend = f"pgmend attach {tables} {options} --apply"
    return [
        found(
            "condition_refused",
            source.name,
            what=f"{it.name} is {it.written}; SQLSTATE {it.failure.sqlstate}: {it.failure.message}",
            mend=mend,
        )
        for it in refused
    ]


def judge_failure(source: Source, failure: SourceFailure | None) -> list[Finding]:
    """Return what the last sweep has met of a source, or its events."""
    if failure is None:
        return []
    what = f"SQLSTATE {failure.failure.sqlstate}: {failure.failure.message}; {counted(failure.events, 'event')} came back with it"
    return [found("source_fails", source.name, what=what, mend=f"pgmend resume --source {source.source_id}")]


def _columns(state: SourceState) -> list[Finding]:
    source = state.source
    findings = []
    if state.columns_gone:
        what = f"there is no column {', '.join(state.columns_gone)}"
        findings.append(found("source_column_gone", source.name, what=what, mend=attach_call(source)))
    for column in state.required_columns:
        what = f"the recipe gives nothing for {column}"
        mend = attach_call(source, **{column: "an expression over users.…"})
        findings.append(found("recipe_lacks_column", source.name, what=what, mend=mend))
    return findings


def _functions(state: SourceState) -> list[Finding]:
    source, mend = state.source, generate_call(state.source.source_id)
    findings = []
    if state.functions_missing:
        what = f"gone: {', '.join(state.functions_missing)}"
        findings.append(found("source_functions_missing", source.name, what=what, mend=mend))
    if state.key_type_changed:
        what = f"{source.users_table}.{source.users_key} is {source.key_type} now"
        findings.append(found("key_type_changed", source.name, what=what, mend=mend))
    if state.function_is_definer is False:
        what = f"pgmend.capture_sign_up_{source.source_id}() runs with the rights of whoever signs up"
        findings.append(found("sign_up_function_invoker", source.name, what=what, mend=mend))
    return findings


def _trigger(state: SourceState) -> list[Finding]:
    name = f"pgmend_capture_sign_up_{state.source.source_id}"
    mend = (
        f"create or replace trigger {name} after insert on {state.source.users_table} "
        f"for each row execute function pgmend.capture_sign_up_{state.source.source_id}();"
    )
    table = str(state.source.users_table)
    if state.trigger_enabled is None:
        return [found("sign_up_trigger_missing", table, what=f"there is no trigger {name}", mend=mend)]
    findings = []
    if state.trigger_enabled in _FIRES_FOR_NO_SIGN_UP:
        what = f"{name}: {_FIRES_FOR_NO_SIGN_UP[state.trigger_enabled]}"
        findings.append(found("sign_up_trigger_disabled", table, what=what, mend=mend))
    if not state.trigger_is_ours:
        findings.append(found("sign_up_trigger_repointed", table, what=f"{name}: {state.trigger_calls}", mend=mend))
    return findings


def judge_altered(source_ids: list[int]) -> list[Finding]:
    """Return the sources whose sign-up function was altered."""
    return [
        found(
            "sign_up_function_altered",
            f"pgmend.capture_sign_up_{source_id}()",
            what="its body is not the one that pgmend makes",
            mend=generate_call(source_id),
        )
        for source_id in source_ids
    ]


def judge_owner(state: OwnerState) -> list[Finding]:
    """Return what keeps the owner of the functions from healing."""
    subject = f"source {state.source_id}"
    findings = [
        found("owner_lacks_rights", subject, what=f"{state.owner} lacks {right}", mend=f"grant {right} to {state.owner};")
        for right in state.lacking
    ]
    for table in state.hidden_tables:
        what = f"{table} has row-level security that {state.owner} does not bypass"
        mend = f"create policy pgmend_heals on {table} to {state.owner} using (true) with check (true);"
        findings.append(found("row_security_hides", subject, what=what, mend=mend))
    return findings
