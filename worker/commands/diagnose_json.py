"""The diagnosis as one JSON object."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from worker.core.diagnosis import Diagnosis, Examined, Standing
from worker.core.orphans import REASONS, Tally
from worker.core.verification import checks


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as one JSON object: people, references with their orphans, reasons, findings."""
    return {
        "people": [_people_json(standing) for standing in diagnosis.standings],
        "references": [_reference_json(it) for it in diagnosis.examined],
        "reasons": {reason: asdict(REASONS[reason]) for reason in diagnosis.reasons},
        "findings": [asdict(check) for check in checks(diagnosis) if not check.is_passed],
        "orphans": diagnosis.orphans,
        "references_unseen": len(diagnosis.unseen),
    }


def _people_json(standing: Standing) -> dict[str, Any]:
    coverage = standing.coverage
    counted_people = None if coverage is None else {**asdict(coverage), "percent": round(coverage.percent, 4)}
    return asdict(standing) | {"coverage": counted_people, "unseen": standing.unseen or None}


def _reference_json(it: Examined) -> dict[str, Any]:
    return {
        "name": it.name,
        **asdict(it.reference),
        "types_match": it.reference.types_match,
        "index_name": it.index_name,
        "seen_column": it.seen_column,
        "rows": it.rows,
        "rows_are_estimated": it.rows_are_estimated,
        "unseen": it.unseen or None,
        "is_lent": it.is_lent,
        "orphans": None if it.unseen else it.orphans,
        "keys": None if it.unseen else it.keys,
        "share_percent": None if it.unseen or it.share is None else round(it.share, 4),
        "first_seen": _iso(it.first_seen),
        "last_seen": _iso(it.last_seen),
        "last_hour": None if it.is_lent else it.last_hour,
        "last_day": None if it.is_lent else it.last_day,
        "by_reason": [_tally_json(tally) for tally in it.tallies],
    }


def _tally_json(tally: Tally) -> dict[str, Any]:
    return asdict(tally) | {"first_seen": _iso(tally.first_seen), "last_seen": _iso(tally.last_seen)}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
