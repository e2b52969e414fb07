"""When the heartbeat comes again."""

import pytest

from worker.runtime.listener import Heartbeat


@pytest.mark.parametrize(
    ("lease_left", "seconds"),
    [(None, 5.0), (-3.0, 5.0), (0.0, 5.0), (1.5, 1.5), (90.0, 5.0), (0.001, 0.25)],
    ids=["all-sleep", "ran-out", "somebody-gone", "held", "held-for-long", "held-for-a-moment"],
)
def test_heartbeat_comes_again_when_the_lease_ends(lease_left: float | None, seconds: float) -> None:
    """Nobody rings while a lease is held, so one that runs out is noticed then; but never in a busy loop."""
    assert Heartbeat(interval=5.0).next_in(lease_left) == seconds
