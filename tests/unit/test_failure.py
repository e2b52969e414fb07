"""Failure classes: by SQLSTATE, never by message text."""

import pytest

from worker.core.failure import FailureClass, classify


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("40001", FailureClass.TRANSIENT),
        ("40P01", FailureClass.TRANSIENT),
        ("53300", FailureClass.TRANSIENT),
        ("55P03", FailureClass.TRANSIENT),
        ("57014", FailureClass.TRANSIENT),
        ("08006", FailureClass.CONNECTION),
        ("57P01", FailureClass.CONNECTION),
        ("57P03", FailureClass.CONNECTION),
        ("PM001", FailureClass.WAITING),
        ("23502", FailureClass.PERMANENT),
        ("23514", FailureClass.PERMANENT),
        ("42501", FailureClass.PERMANENT),
        ("P0001", FailureClass.PERMANENT),
    ],
)
def test_sqlstate_decides_the_class(sqlstate: str, expected: FailureClass) -> None:
    """Each SQLSTATE has one class."""
    assert classify(sqlstate) is expected
