"""Judgements on users without profile, and on the recipe that was tried for some of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.core.doctor.wording import Source, attach_call
from worker.core.failure import Failure, FailureClass, classify
from worker.core.finding import Finding, found
from worker.core.quoting import literal
from worker.core.raised import FiringTrigger, is_nameless, named
from worker.core.wording import counted

MOST_COUNTED = 10_000
"""Users without profile are counted up to this many."""


@dataclass(frozen=True, slots=True)
class Absences:
    """The eligible users of a source without profile. The times are text, None where the users table keeps none."""

    source: Source
    count: int
    first: str | None = None
    last: str | None = None
    within_the_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """The recipe, tried for one user of a kind: what heal_user returned, or the failure that it raised."""

    kind: str
    outcome: str | None = None
    failure: Failure | None = None


def judge_absences(absences: Absences, *, is_paused: bool = False) -> list[Finding]:
    """Return whether users are without profile, and whether they become more."""
    if not absences.count:
        return []
    number = counted(absences.count, "user")
    parts = [f"{number} or more" if absences.count >= MOST_COUNTED else number]
    if absences.first is not None:
        parts.append(f"the first of {absences.first}, the last of {absences.last}")
    if absences.within_the_hour is not None:
        growing = f"still growing, {absences.within_the_hour:,} within the last hour"
        parts.append(growing if absences.within_the_hour else "none within the last hour")
    mend = "pgmend diagnose" if is_paused else "pgmend run"
    return [found("users_without_profile", absences.source.name, what="; ".join(parts), mend=mend)]


def judge_trials(source: Source, trials: list[Trial], triggers: Sequence[FiringTrigger] = ()) -> list[Finding]:
    """Return what the trials say of the recipe: each reason once for each kind of user. ``triggers``: of the profiles table."""
    if not trials:
        return [not_tried(source, "every eligible user has a profile: there is nobody to try it for")]
    findings: dict[tuple[str, str], Finding] = {}
    for trial in trials:
        finding = _judge_trial(source, trial, triggers)
        if finding is not None:
            findings.setdefault((trial.kind, finding.what), finding)
    return list(findings.values())


def not_tried(source: Source, reason: str) -> Finding:
    """Return the note that says why the recipe was not tried."""
    return found("recipe_not_tried", source.name, what=reason)


def _judge_trial(source: Source, trial: Trial, triggers: Sequence[FiringTrigger]) -> Finding | None:
    subject = f"{source.name}, {trial.kind}"
    if trial.failure is not None:
        if classify(trial.failure.sqlstate) is not FailureClass.PERMANENT:
            return not_tried(source, f"{trial.kind}: {_evidence(trial.failure)}")
        if is_nameless(trial.failure):
            what = f"{_evidence(trial.failure)}; the server's log has its words at this moment; triggers: {named(triggers)}"
            return found("recipe_refused", subject, what=what, mend=_code_to_read(source, triggers))
        return found("recipe_refused", subject, what=_evidence(trial.failure), mend=_recipe_mend(source, trial.failure))
    if trial.outcome == "not_healed":
        what = "the recipe ran, and no profile was there afterwards"
        return found("recipe_makes_nothing", subject, what=what, mend=attach_call(source))
    return None


def _evidence(failure: Failure) -> str:
    named = {"constraint": failure.constraint, "column": failure.column}
    parts = [f"SQLSTATE {failure.sqlstate}", *(f"{name} {value}" for name, value in named.items() if value)]
    return f"{', '.join(parts)}: {failure.message}"


def _recipe_mend(source: Source, failure: Failure) -> str:
    if failure.column and not source.recipe_function:
        return attach_call(source, **{failure.column: "an expression over users.… that is never null"})
    return f"{attach_call(source)} -- with a recipe that {failure.constraint or failure.column} accepts"


def _code_to_read(source: Source, triggers: Sequence[FiringTrigger]) -> str:
    """Return the SQL that shows what an insert of a profile runs: what of it to change, only its words and a person can say."""
    functions = [trigger.function for trigger in triggers] + [source.recipe_signature or ""]
    shown = [f"select pg_get_functiondef({literal(it)}::regprocedure);" for it in dict.fromkeys(functions) if it]
    return " ".join(shown) or f"{attach_call(source)} -- with a recipe that does not raise"
