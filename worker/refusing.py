"""Refusals as the errors of this package."""

from collections.abc import Sequence

from worker.core.constrain.refusal import Ground, Refusal
from worker.errors import OwnerNeededError, PgmendError, ReferenceRefusedError, ServerUnfitError

_ERRORS: dict[Ground, type[PgmendError]] = {
    Ground.SERVER: ServerUnfitError,
    Ground.RIGHTS: OwnerNeededError,
    Ground.REFERENCE: ReferenceRefusedError,
}


def refuse(refusals: Sequence[Refusal]) -> None:
    """Raise the error of the first refusal by ground, with how many more there are; do nothing where there is none."""
    for ground, error in _ERRORS.items():
        for refusal in refusals:
            if refusal.ground is ground:
                more = f" (and {len(refusals) - 1} more: pgmend constrain lists them)" if len(refusals) > 1 else ""
                raise error(f"{refusal.reference} cannot become a key", detail=f"{refusal.what}{more}", hint=refusal.helps)
