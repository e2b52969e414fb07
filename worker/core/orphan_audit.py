"""The audit of references: one entry for each change of the number of orphans, or of the foreign key that holds one."""

from dataclasses import dataclass

from worker.core.audit import AuditEntry
from worker.core.diagnosis import Examined


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A reference that a valid foreign key holds now and did not before, or the other way round."""

    reference: str
    referencing_table: str
    constraint_name: str | None
    is_valid: bool
    constraint_before: str | None


def key_changed(change: KeyChange) -> AuditEntry:
    """Return the entry for a foreign key that was lost, or that holds again."""
    return AuditEntry(
        error_type="FOREIGN_KEY_VALIDATED" if change.is_valid else "FOREIGN_KEY_LOST",
        severity="info" if change.is_valid else "warning",
        message="a valid foreign key holds the reference"
        if change.is_valid
        else "no valid foreign key holds the reference any more",
        table_name=change.referencing_table,
        constraint_name=change.constraint_name,
        details={"reference": change.reference, "constraint_before": change.constraint_before},
    )


def orphans_detected(examined: Examined, before: int) -> AuditEntry:
    """Return the entry for a number of orphans that is not the one ``before``."""
    reference = examined.reference
    return AuditEntry(
        error_type=examined.error_type,
        severity="warning" if examined.orphans else "info",
        message=f"{examined.orphans} rows refer to nobody" if examined.orphans else "no orphan is left",
        table_name=reference.referencing_table,
        constraint_name=reference.constraint_name,
        details={
            "reference": reference.name,
            "orphans": examined.orphans,
            "orphans_before": before,
            "keys": examined.keys,
            "by_reason": {tally.reason: tally.orphans for tally in examined.tallies},
        },
    )
