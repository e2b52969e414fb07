"""Judgements on the foreign keys that lead to profiles, and on their guards."""

from dataclasses import dataclass

from worker.core.finding import Finding, found
from worker.core.quoting import literal
from worker.core.signature import of_replay


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key to the profiles of a source. ``columns`` and ``quoted_name`` are quoted for SQL.

    ``meaning`` is equal for two keys that say the same.
    """

    table: str
    name: str
    quoted_name: str
    columns: str
    meaning: str
    is_valid: bool
    is_partitioned: bool
    has_index: bool
    is_guarded: bool

    @property
    def subject(self) -> str:
        """Return the key as people name it."""
        return f"{self.table} {self.name}"


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard. ``table`` is a number where the table is gone; ``trigger_enabled`` is None where there is no trigger."""

    table: str
    name: str
    mode: str
    replay_function: str | None
    replayed_error_type: str
    unknown_user_grace: str | None
    key_exists: bool
    trigger_enabled: str | None


def judge_keys(keys: list[Key]) -> list[Finding]:
    """Return what is wrong with the keys."""
    findings = [finding for key in keys for finding in _judge_key(key)]
    first: dict[str, Key] = {}
    # The guarded one of two is the one to keep.
    for key in sorted(keys, key=lambda it: (not it.is_guarded, it.subject)):
        kept = first.setdefault(key.meaning, key)
        if kept is not key:
            mend = f"alter table {key.table} drop constraint {key.quoted_name};"
            findings.append(found("key_twice", key.subject, what=f"says what {kept.name} says", mend=mend))
    return findings


def _judge_key(key: Key) -> list[Finding]:
    findings = []
    if not key.is_guarded:
        mend = f"select pgmend.guard({literal(key.table)}, {literal(key.name)});"
        findings.append(found("key_not_guarded", key.subject, what="its insert path is not captured", mend=mend))
    if not key.is_valid:
        mend = f"alter table {key.table} validate constraint {key.quoted_name};"
        findings.append(found("key_not_valid", key.subject, what="it was never validated", mend=mend))
    if not key.has_index:
        # No index is built concurrently on a partitioned table.
        mend = f"create index {'' if key.is_partitioned else 'concurrently '}on {key.table} ({key.columns});"
        findings.append(found("key_without_index", key.subject, what=f"no index begins with {key.columns}", mend=mend))
    return findings


def judge_guards(guards: list[Guard]) -> list[Finding]:
    """Return what is wrong with the guards."""
    return [finding for guard in guards if (finding := _judge_guard(guard))]


def _judge_guard(guard: Guard) -> Finding | None:
    subject = f"{guard.table} {guard.name}"
    if not guard.key_exists:
        mend = f"select pgmend.unguard({literal(guard.table)}, {literal(guard.name)});"
        return found("guard_without_key", subject, what="no such key leads to the profiles of its source", mend=mend)
    if guard.mode == "report":
        return None
    if guard.trigger_enabled is None:
        return found("guard_trigger_missing", subject, what=f"mode {guard.mode}, and no trigger", mend=_guard_call(guard))
    if guard.trigger_enabled in {"D", "R"}:
        what = f"mode {guard.mode}, and the trigger {'is disabled' if guard.trigger_enabled == 'D' else 'fires in replicas only'}"
        return found("guard_trigger_disabled", subject, what=what, mend=_guard_call(guard))
    return None


def _guard_call(guard: Guard) -> str:
    arguments = [literal(guard.table), literal(guard.name), f"mode => {literal(guard.mode)}"]
    if guard.replay_function is not None:
        arguments.append(f"replay_function => {literal(of_replay(guard.replay_function))}")
    if guard.replayed_error_type != "INSERT_REPLAYED":
        arguments.append(f"replayed_error_type => {literal(guard.replayed_error_type)}")
    grace = "null" if guard.unknown_user_grace is None else literal(guard.unknown_user_grace)
    arguments.append(f"unknown_user_grace => {grace}")
    return f"select pgmend.guard({', '.join(arguments)});"
