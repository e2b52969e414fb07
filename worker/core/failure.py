"""Failures, classified by SQLSTATE and constraint, never by message text."""

from dataclasses import dataclass
from enum import Enum

WAITING_SQLSTATE = "PM001"
COLUMN_GONE_SQLSTATE = "PM002"
NOT_MADE_SQLSTATE = "PM003"
ROLE_NOT_GRANTED_SQLSTATE = "PM004"
REFERS_TO_CAPTURE_SQLSTATE = "PM005"
NO_USER_YET_SQLSTATE = "PM008"
SESSION_TOUCHED_SQLSTATE = "PM010"

_TRANSIENT_CLASSES = frozenset({"40", "53"})
_TRANSIENT_STATES = frozenset({NOT_MADE_SQLSTATE, "55P03", "55006", "57014", "25P03", "25P04"})
_CONNECTION_CLASSES = frozenset({"08"})
_CONNECTION_STATES = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})  # 25006: the server is a standby now


class FailureClass(Enum):
    """What a failure means for the event that met it."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    WAITING = "waiting"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the database reported it. Fields that the database left empty are None."""

    sqlstate: str
    message: str
    constraint: str | None = None
    column: str | None = None
    detail: str | None = None


def classify(sqlstate: str) -> FailureClass:
    """Return the class of a SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).

    Transient may pass by itself; waiting names what must appear first; a lost connection is never the event's fault;
    everything else is permanent: trying again would fail again.
    """
    if sqlstate in {WAITING_SQLSTATE, ROLE_NOT_GRANTED_SQLSTATE, REFERS_TO_CAPTURE_SQLSTATE}:
        return FailureClass.WAITING
    if sqlstate[:2] in _CONNECTION_CLASSES or sqlstate in _CONNECTION_STATES:
        return FailureClass.CONNECTION
    if sqlstate[:2] in _TRANSIENT_CLASSES or sqlstate in _TRANSIENT_STATES:
        return FailureClass.TRANSIENT
    return FailureClass.PERMANENT
