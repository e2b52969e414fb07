"""What the person who attaches has said beforehand; all of it may be left open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Mode = Literal["report", "ensure", "park", "none"]
MODES: tuple[str, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of ``pgmend attach``.

    ``recipe``: column -> SQL expression; a column that is given ``None`` is left out. ``guards``: the name of a key, or
    ``table.key``, -> its mode. ``grants``: roles, by name.
    """

    users: str | None = None
    users_key: str | None = None
    profiles: str | None = None
    profiles_key: str | None = None
    recipe: Mapping[str, str | None] = field(default_factory=dict)
    recipe_function: str | None = None
    eligible_when: str | None = None
    erased_when: str | None = None
    guards: Mapping[str, Mode] = field(default_factory=dict)
    grants: tuple[str, ...] = ()
