"""The audit of orphans: one entry for each reference and change of their number."""

from worker.core.audit import AuditEntry
from worker.core.diagnosis import Examined


def orphans_detected(examined: Examined, known: int | None) -> AuditEntry | None:
    """Return the entry for a number of orphans that differs from the ``known`` one, the last that the audit named.

    None where there is nothing new to say: the same number, none where none were known, or nobody could look.
    """
    if examined.unseen or examined.orphans == (known or 0):
        return None
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
            "orphans_before": known or 0,
            "keys": examined.keys,
            "by_reason": {tally.reason: tally.orphans for tally in examined.tallies},
        },
    )
