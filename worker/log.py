"""Logs: one JSON object a line for a machine, a readable line on a terminal; no secret and no personal value in either."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Protocol, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger

from worker.core.quoting import visible

Log = FilteringBoundLogger

_LONGEST_TEXT = 2000
"""Characters of one value. Longer ones come from outside, and to look through them for secrets would take minutes."""

_PASSWORD_IN_URL = re.compile(r"(\b\w+://(?!user:password@[^\s@]*(?:\s|$))[^\s:/@]*):\S*@")
"""The example that our own hints give is none to be masked."""
_PASSWORD_ASSIGNED = re.compile(r"(password\s*=\s*)\S+", re.IGNORECASE)
_ROW_VALUES = re.compile(
    r"(Key \(.*?\)=)\(.*\)(?= already exists| is not present| is still referenced| conflicts)|(Failing row contains )\(.*\)",
    re.DOTALL,
)


class Stream(Protocol):
    """What lines are written to."""

    def write(self, text: str, /) -> object:
        """Write a line."""

    def flush(self) -> None:
        """Let nothing of it wait."""

    def isatty(self) -> bool:
        """Return whether a person reads it."""


def make_log(*, level: str, log_format: str, worker_id: str, stream: Stream | None = None) -> Log:
    """Return the logger that is handed down; nothing process-wide is configured."""
    out = stream or sys.stdout
    as_json = log_format == "json" or (log_format == "auto" and not out.isatty())
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
        *([structlog.processors.JSONRenderer()] if as_json else [_show, structlog.dev.ConsoleRenderer(colors=out.isatty())]),
    ]
    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", out)),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        context_class=dict,
        service="pgmend",
        worker_id=worker_id,
    )
    return log


def redacted(text: str) -> str:
    """Return the text without passwords, without the row values that database messages quote, and at a length for a line."""
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"
    text = _PASSWORD_IN_URL.sub(r"\1:********@", text)
    text = _PASSWORD_ASSIGNED.sub(r"\1********", text)
    return _ROW_VALUES.sub(lambda match: f"{match[1] or match[2]}(…)", text)


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: redacted(value) if isinstance(value, str) else value for key, value in event.items()}


def _show(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Let no value command the terminal; the lines of a traceback stay lines."""
    return {key: "\n".join(map(visible, value.split("\n"))) if isinstance(value, str) else value for key, value in event.items()}
