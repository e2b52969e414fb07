"""A client: the calls by which it inserts, and how what it sees is put into words."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.clients.application import SHOP, Application, Stage

Call = Callable[[str, str], Awaitable[str]]
"""Insert for the user of that key at that address, and say what came back."""

Capture = Callable[[str, dict[str, object]], Awaitable[str]]
"""Hand over a row at that address, and say what came back."""


@dataclass(frozen=True, slots=True)
class Client:
    """``calls``: plain inserts by the name that the page has for them; ``errors``: what the client raises."""

    name: str
    calls: Mapping[str, Call]
    insert_or_park: Capture
    report_failed_insert: Capture
    errors: tuple[type[Exception], ...] = ()
    application: Application = SHOP

    async def see(self, call: str, stage: Stage, key: str) -> str:
        """Run one call; return what the client sees of it, an error included."""
        return await self._in_words(self.calls[call](stage.url, key))

    async def hand_over(self, function: str, stage: Stage, key: str) -> str:
        """Call one of the two functions with the row of a user; return what the client sees of it, an error included."""
        capture = self.insert_or_park if function == "insert_or_park" else self.report_failed_insert
        return await self._in_words(capture(stage.url, stage.row_of(key)))

    async def _in_words(self, call: Awaitable[str]) -> str:
        try:
            return await call
        except self.errors as error:
            return raised(error)


def raised(error: Exception) -> str:
    """Name an error as the client raises it, with the SQLSTATE that it, or the driver's error in it, may carry."""
    driver = getattr(error, "orig", None) or error.__cause__ or error
    sqlstate = getattr(driver, "sqlstate", None)
    return f"raises `{type(error).__name__}`" + (f" ({sqlstate})" if sqlstate else "")


def receipt(seen: object, status: str | None = None) -> str:
    """Say what a receipt looks like to a client: its type, and the status that stands in it."""
    return f"`{type(seen).__name__}`" + (f", {status}" if status else "")
