"""The retry policy: backoff and jitter are pure arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from worker.core.retry_policy import RetryPolicy

policies = st.builds(RetryPolicy, st.floats(0.001, 10), st.floats(10, 1000), st.integers(1, 100))
jitters = st.floats(0, 1, exclude_max=True)


@given(policies, st.integers(1, 10_000), jitters)
def test_delay_stays_between_half_the_first_and_the_longest(policy: RetryPolicy, attempt: int, jitter: float) -> None:
    """No attempt is due at once, and none waits longer than the longest delay."""
    assert policy.first_delay / 2 <= policy.delay(attempt, jitter) <= policy.longest_delay


@given(policies, st.integers(1, 100), jitters)
def test_delay_never_shrinks_with_the_attempts(policy: RetryPolicy, attempt: int, jitter: float) -> None:
    """With the same jitter, a later attempt waits at least as long."""
    assert policy.delay(attempt, jitter) <= policy.delay(attempt + 1, jitter)


def test_delay_doubles_until_the_longest() -> None:
    """The backoff is exponential, then flat."""
    policy = RetryPolicy(first_delay=1.0, longest_delay=5.0)

    assert [policy.delay(attempt, 1.0) for attempt in range(1, 6)] == [1.0, 2.0, 4.0, 5.0, 5.0]
