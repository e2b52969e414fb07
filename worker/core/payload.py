"""Payload: what a captured insert would write, and on whose behalf. Personal: shown to a person only who asks for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Payload:
    """``row``: each captured column with its value as text, or None. ``writer_claims``: the writer's request.jwt.claims."""

    row: dict[str, str | None]
    writer_claims: str | None
