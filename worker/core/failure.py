"""Failures, classified by SQLSTATE and constraint, never by message text."""

import re
from dataclasses import dataclass
from enum import Enum

WAITING_SQLSTATE = "PM001"
COLUMN_GONE_SQLSTATE = "PM002"
NOT_MADE_SQLSTATE = "PM003"
ROLE_NOT_GRANTED_SQLSTATE = "PM004"
REFERS_TO_CAPTURE_SQLSTATE = "PM005"
NO_USER_YET_SQLSTATE = "PM008"
SESSION_TOUCHED_SQLSTATE = "PM010"
SESSION_ENDED_SQLSTATE = "PM013"

_TRANSIENT_CLASSES = frozenset({"40", "53"})
_TRANSIENT_STATES = frozenset({NOT_MADE_SQLSTATE, SESSION_ENDED_SQLSTATE, "55P03", "55006", "57014", "25P03", "25P04"})
_CONNECTION_CLASSES = frozenset({"08"})
_CONNECTION_STATES = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})  # 25006: the server is a standby now
_SERVER_CLASSES = frozenset(
    re.findall("..", "0001020308090A0B0F0L0P0Z102021222324252627282B2D2F3438393B3D3F4042445354555758F0HVP0XX")
)


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


def is_of_the_application(sqlstate: str) -> bool:
    """Return whether a SQLSTATE has a class that is none of the server's, nor pgmend's: the application's own."""
    return sqlstate[:2] not in _SERVER_CLASSES and sqlstate[:2] != "PM"
