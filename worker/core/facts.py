"""Facts: what is so in the database about the user of an event, at the moment of the claim."""

from dataclasses import dataclass
from typing import Literal

UserState = Literal["eligible", "not_eligible", "erased", "absent"]


@dataclass(frozen=True, slots=True)
class Facts:
    """``user_state`` by the source's own conditions.

    ``known_before``: the user has signed up once, for an event of that sign-up still waits, or the audit tells of one, or of a
    profile that we made for this key, or of an event of theirs that we dropped.
    """

    user_state: UserState
    profile_exists: bool
    known_before: bool = False
