"""Facts: what is so in the database about the user of an event, at the moment of the claim."""

from dataclasses import dataclass
from typing import Literal

UserState = Literal["eligible", "not_eligible", "erased", "absent"]


@dataclass(frozen=True, slots=True)
class Facts:
    """``user_state`` by the source's own conditions; ``known_before``: we made this key's profile, or dropped an event of it."""

    user_state: UserState
    profile_exists: bool
    known_before: bool = False
