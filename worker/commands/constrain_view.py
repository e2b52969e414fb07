"""Plans and outcomes of ``pgmend constrain``, as text and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from worker.constraining import Outcome
from worker.core.constrain.plan import Plan
from worker.core.constrain.refusal import Refusal
from worker.core.constrain.step import HINDERED, AwaitIndex, CreateIndex, DropIndex, Step, duration, locks
from worker.locking import Patience


def plan_lines(plans: Sequence[Plan], texts: Sequence[Sequence[str]], patience: Patience) -> Iterator[str]:
    """Yield the plan: for each reference its steps as SQL, with the locks of each and how long they are held."""
    for plan, statements in zip(plans, texts, strict=True):
        yield f"{plan.wish.reference.name}: {plan.key_name}"
        for note in plan.notes:
            yield f"  note: {note}"
        for refusal in plan.refusals:
            yield f"  refused: {refusal.what} -> {refusal.helps}"
        for refusal in plan.left_out:
            yield f"  left out: {refusal.what} -> {refusal.helps}"
        if not plan.steps and not plan.left_out:
            yield "  nothing to do: the key is valid and has a supporting index"
        for number, (step, statement) in enumerate(zip(plan.steps, statements, strict=True), start=1):
            yield (
                f"  {number}. {statement};" if statement else f"  {number}. -- another session builds an index: it is waited for"
            )
            yield from (f"       {line}" for line in _lock_lines(step))
        yield ""
    yield from _closing(plans, patience)


def outcome_lines(plans: Sequence[Plan], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what became of each reference, and which were left out."""
    yield ""
    for plan in plans:
        for refusal in plan.left_out:
            yield f"{refusal.reference}: left out: {refusal.what} -> {refusal.helps}"
    for outcome in outcomes:
        yield f"{outcome.wish.reference.name}: {_said(outcome)}"
        for note in outcome.notes:
            yield f"  note: {note}"
    if not plans:
        yield "nothing to do: no reference was named, and none stands out"


def plan_json(plan: Plan, texts: Sequence[str]) -> dict[str, object]:
    """Return a plan as a JSON object."""
    return {
        "reference": plan.wish.reference.name,
        "key": plan.key_name,
        "steps": [_step_json(step, text) for step, text in zip(plan.steps, texts, strict=True)],
        "refusals": [refusal_json(it) for it in plan.refusals],
        "left_out": [refusal_json(it) for it in plan.left_out],
        "notes": list(plan.notes),
    }


def refusal_json(refusal: Refusal) -> dict[str, object]:
    """Return a refusal as a JSON object."""
    return {
        "reference": refusal.reference,
        "ground": refusal.ground.value,
        "what": refusal.what,
        "helps": refusal.helps,
    }


def outcome_json(outcome: Outcome) -> dict[str, object]:
    """Return an outcome as a JSON object."""
    return {
        "reference": outcome.wish.reference.name,
        "key": outcome.key_name,
        "done": list(outcome.done),
        "orphans": outcome.orphans,
        "notes": list(outcome.notes),
    }


def _said(outcome: Outcome) -> str:
    steps = f"{len(outcome.done)} step{'' if len(outcome.done) == 1 else 's'} done"
    if outcome.orphans:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in outcome.orphans.items())
        return f"stopped at {sum(outcome.orphans.values()):,} orphans ({reasons}), {steps}; see pgmend diagnose and pgmend repair"
    return f"{outcome.key_name} is valid, {steps}" if outcome.done else f"{outcome.key_name} is valid, nothing was to be done"


def _step_json(step: Step, text: str) -> dict[str, object]:
    return {
        "step": type(step).__name__,
        "sql": text,
        "locks": [asdict(lock) for lock in locks(step)],
        "lasts": duration(step),
        "in_transaction": not isinstance(step, CreateIndex | DropIndex | AwaitIndex),
    }


def _lock_lines(step: Step) -> Iterator[str]:
    for mode, same in groupby(locks(step), key=lambda lock: lock.mode):
        yield f"{mode} on {', '.join(lock.on for lock in same)} for {duration(step)}: hinders {HINDERED[mode]}"


def _closing(plans: Sequence[Plan], patience: Patience) -> Iterator[str]:
    if not plans:
        yield "nothing to do: no reference was named, and none stands out"
    elif any(plan.steps for plan in plans):
        attempts = f"waits {patience.lock_milliseconds} ms for its locks and is attempted {patience.retries.most_attempts} times"
        yield f"Each step is a transaction of its own, {attempts}; what is concurrent runs outside and waits"
        yield "without hindering anybody. This was the plan, and nothing has been changed: --apply carries it out."
