"""Judgements on the application's own triggers: its sign-up trigger, and those that healing fires."""

import re
from dataclasses import dataclass
from typing import Literal

from worker.core.finding import Finding, found

_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_HANDLER = re.compile(
    r"\bwhen\b[^;]*?\bothers\b[^;]*?\bthen\b(.*?)(?:(?<=;)\s*\bwhen\b|\bend\b(?!\s*(?:if|loop|case)\b))", re.DOTALL
)
_RAISES = re.compile(r"\braise\b(?!\s+(?:debug|log|info|notice|warning)\b)")


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of the application that an insert fires. ``search_path`` is what its function pins, None when nothing.

    ``makes_profiles``: its function names the profiles table.
    """

    place: Literal["users", "profiles"]
    table: str
    name: str
    enabled: str
    timing: str
    function: str
    function_schema: str
    is_definer: bool
    search_path: str | None
    has_body: bool
    body: str
    makes_profiles: bool

    @property
    def subject(self) -> str:
        """Return the trigger as people name it."""
        return f"{self.name} on {self.table}"


def judge_triggers(triggers: list[Trigger]) -> list[Finding]:
    """Return what is worth saying of the application's triggers."""
    findings: list[Finding] = []
    for trigger in triggers:
        findings += _on_users(trigger) if trigger.place == "users" else _on_profiles(trigger)
    return findings


def _on_users(trigger: Trigger) -> list[Finding]:
    if trigger.enabled in {"D", "R"}:
        what = "disabled" if trigger.enabled == "D" else "fires in replicas only"
        mend = f"alter table {trigger.table} enable trigger {trigger.name};"
        return [found("application_trigger_disabled", trigger.subject, what=what, mend=mend)]
    findings = []
    if trigger.makes_profiles and not trigger.is_definer:
        what = f"{trigger.function} runs with the rights of whoever signs up"
        mend = f"alter function {trigger.function} security definer set search_path = {_path(trigger)};"
        findings.append(found("application_trigger_invoker", trigger.subject, what=what, mend=mend))
    if trigger.search_path is None and trigger.has_body and (trigger.makes_profiles or trigger.is_definer):
        findings.append(found("application_trigger_path", trigger.subject, what=_unpinned(trigger), mend=_pin(trigger)))
    if trigger.makes_profiles and swallows_errors(trigger.body):
        what = f"{trigger.function} catches others and raises nothing"
        mend = f"drop trigger {trigger.name} on {trigger.table}; -- or let its handler end with: raise;"
        findings.append(found("application_trigger_swallows", trigger.subject, what=what, mend=mend))
    return findings


def _on_profiles(trigger: Trigger) -> list[Finding]:
    if trigger.enabled in {"D", "R"}:
        return []
    findings = [found("profile_trigger_fires", trigger.subject, what=f"{trigger.timing} insert it calls {trigger.function}")]
    if trigger.search_path is None and trigger.has_body:
        findings.append(found("profile_trigger_path", trigger.subject, what=_unpinned(trigger), mend=_pin(trigger)))
    return findings


def _unpinned(trigger: Trigger) -> str:
    return f"{trigger.function} finds names by whatever path it is called with"


def _pin(trigger: Trigger) -> str:
    return f"alter function {trigger.function} set search_path = {_path(trigger)};"


def _path(trigger: Trigger) -> str:
    return f"{trigger.function_schema}, pg_temp"


def swallows_errors(body: str) -> bool:
    """Return whether a PL/pgSQL body has a handler for others that does not raise. Read as text: a guess, and a good one."""
    code = _NOISE.sub(" ", body.lower())
    return any(not _RAISES.search(handler) for handler in _HANDLER.findall(code))
