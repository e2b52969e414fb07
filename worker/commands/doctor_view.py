"""The doctor's report as text: facts, then findings by severity and check, then the counts. A hundred columns wide."""

import textwrap
from collections.abc import Iterator
from itertools import groupby

from worker.core.checks import CHECKS, SEVERITIES
from worker.core.finding import Finding, Report
from worker.core.wording import counted

WIDTH = 100


def lines(report: Report) -> Iterator[str]:
    """Yield the lines of the report. What mends is never wrapped: it is to be pasted."""
    width = max(map(len, report.facts), default=0)
    for name, value in report.facts.items():
        yield from _wrapped(value, first=f"{name:<{width}}  ", rest=" " * (width + 2))
    for check, findings in groupby(report.findings, key=lambda finding: finding.check):
        yield ""
        yield from _section(check, list(findings))
    yield ""
    yield ", ".join(counted(report.count(severity), severity) for severity in SEVERITIES)


def _section(check: str, findings: list[Finding]) -> Iterator[str]:
    yield from _wrapped(f"{check}: {CHECKS[check].finds.replace('`', '')}", first=f"{CHECKS[check].severity:<9}", rest=" " * 9)
    yield from _wrapped(CHECKS[check].why, first=" " * 9, rest=" " * 9)
    for finding in findings:
        yield from _wrapped(f"{finding.subject}: {finding.what}", first=" " * 7 + "- ", rest=" " * 9)
        for line in finding.mend.splitlines():
            yield f"{'':<11}{line}"


def _wrapped(text: str, *, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
