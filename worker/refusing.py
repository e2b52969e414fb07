"""Refusals as the errors of this package."""

from collections.abc import Sequence

from worker.core.constrain.refusal import Ground, Refusal
from worker.core.proposal import Proposal
from worker.core.source_failure import RefusedCondition
from worker.errors import ConditionRefusedError, OwnerNeededError, PgmendError, ReferenceRefusedError, ServerUnfitError

_ERRORS: dict[Ground, type[PgmendError]] = {
    Ground.SERVER: ServerUnfitError,
    Ground.RIGHTS: OwnerNeededError,
    Ground.REFERENCE: ReferenceRefusedError,
}


def refuse_conditions(proposal: Proposal, refused: Sequence[RefusedCondition]) -> None:
    """Raise the error that names the conditions of a proposal which the server refuses, and the options that say them anew."""
    if not refused:
        return
    reasons = {"eligible_when": proposal.eligible.reason, "erased_when": proposal.erased.reason}
    options = " ".join(f"--{it.name.replace('_', '-')} 'a condition over users.…'" for it in refused)
    raise ConditionRefusedError(
        f"the server refuses {' and '.join(f'{it.name}, {reasons[it.name]}' for it in refused)}",
        detail="; ".join(f"{it.written}: {it.failure.message}" for it in refused),
        hint=f"say what holds now, over the users row, which is called users: {options}",
    )


def refuse(refusals: Sequence[Refusal]) -> None:
    """Raise the error of the first refusal by ground, with how many more there are; do nothing where there is none."""
    for ground, error in _ERRORS.items():
        for refusal in refusals:
            if refusal.ground is ground:
                more = f" (and {len(refusals) - 1} more: pgmend constrain lists them)" if len(refusals) > 1 else ""
                raise error(f"{refusal.reference} cannot become a key", detail=f"{refusal.what}{more}", hint=refusal.helps)
