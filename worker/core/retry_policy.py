"""When an event that was released is due again: exponential backoff with jitter, in seconds."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``first_delay`` doubles with each attempt up to ``longest_delay``, both in seconds; then ``most_attempts`` ends it."""

    first_delay: float = 0.2
    longest_delay: float = 300.0
    most_attempts: int = 40

    def delay(self, attempt: int, jitter: float) -> float:
        """Return the seconds until the next attempt, between half and all of the backoff.

        ``attempt`` counts from 1; ``jitter`` is a random number in [0, 1), given by the caller.
        """
        doublings = min(attempt - 1, 62)
        backoff = min(math.ldexp(self.first_delay, doublings), self.longest_delay)
        return backoff * (0.5 + jitter / 2)

    def is_exhausted(self, attempt: int) -> bool:
        """Return whether ``attempt`` was the last that a transient failure gets."""
        return attempt >= self.most_attempts
