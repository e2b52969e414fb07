"""The checks of ``pgmend verify`` as text: one line each, so that a line can be searched for and counted."""

from collections.abc import Iterator, Sequence

from worker.core.verification import Check


def lines(checks: Sequence[Check]) -> Iterator[str]:
    """Yield a line for each check: state, check, subject, what was seen."""
    width = max((len(check.subject) for check in checks), default=0)
    for check in checks:
        yield f"{check.state:<7} {check.name:<17}  {check.subject:<{width}}  {check.what}"
