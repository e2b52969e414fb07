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


def test_worker_is_no_dead_one_while_its_heartbeat_may_still_come_back() -> None:
    """Three of them may be missed, and the last one may take its time: seconds between two signs of a worker that lives."""
    assert Heartbeat(interval=1.0, timeout=5.0).silent_after == 8.0
    assert Heartbeat().silent_after == 20.0
