"""The pace of the express lane."""

from worker.core.pace import Pace


def test_failures_narrow_the_batch_down_to_the_one_that_fails() -> None:
    """A tenth each time, and who fails alone is stuck."""
    pace = Pace(1000)
    limits = []
    while not pace.is_stuck:
        limits.append(pace.limit)
        pace.failed()

    assert limits == [1000, 100, 10, 1]
    pace.handed_over()
    assert (pace.limit, pace.is_stuck) == (1, False)


def test_successes_bring_the_pace_back() -> None:
    """Ten times as many each time, and never more than allowed."""
    pace = Pace(50)
    for _ in range(3):
        pace.failed()
    pace.handed_over()

    limits = []
    for _ in range(3):
        pace.succeeded()
        limits.append(pace.limit)

    assert limits == [10, 50, 50]
