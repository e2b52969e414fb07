"""A finding of the doctor: what is wrong with what, why it matters, and the SQL or command that mends it."""

from collections.abc import Iterable
from dataclasses import dataclass

from worker.core.checks import CHECKS, SEVERITIES, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check has found. ``mend`` is ready to paste; empty where nothing is to be done."""

    severity: Severity
    check: str
    subject: str
    what: str
    why: str
    mend: str


@dataclass(frozen=True, slots=True)
class Report:
    """Facts about the installation, and what was found, the worst first."""

    facts: dict[str, str]
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Return whether nothing is wrong. Notes are not wrong."""
        return all(finding.severity == "note" for finding in self.findings)

    def count(self, severity: Severity) -> int:
        """Return how many findings have that severity."""
        return sum(finding.severity == severity for finding in self.findings)


def found(check: str, subject: str, *, what: str, mend: str = "") -> Finding:
    """Return a finding of a check, with the severity and the reason that the catalogue has for it."""
    return Finding(CHECKS[check].severity, check, subject, what, CHECKS[check].why, mend)


def make_report(facts: dict[str, str], findings: Iterable[Finding]) -> Report:
    """Return the findings ordered by severity, then as the catalogue has the checks; order among equals is kept."""
    places = {check: place for place, check in enumerate(CHECKS)}
    return Report(facts, tuple(sorted(findings, key=lambda it: (SEVERITIES.index(it.severity), places[it.check]))))
