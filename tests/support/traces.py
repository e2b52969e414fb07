"""Traces of an application's requests, for tests."""

import uuid
from dataclasses import dataclass, field

from tests.support.database import sign_up
from worker.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Request:
    """A request that writes: where in which trace."""

    trace_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    span_id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    flags: str = "01"

    @property
    def place(self) -> tuple[str, str]:
        """Return trace and span, as they stand above the worker's."""
        return self.trace_id, self.span_id

    @property
    def traceparent(self) -> str:
        """Return the header that the application has got, or sends."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


async def say(connection: Connection, correlation_id: str, *, setting: str = "pgmend.correlation_id") -> None:
    """Say what is written for, from now on."""
    await connection.execute("select set_config($1, $2, false)", setting, correlation_id)


async def sign_up_for(connection: Connection, request: Request, name: str | None = None) -> str:
    """Sign up a user on behalf of a request; return the key."""
    async with connection.transaction():
        await connection.execute("select set_config('pgmend.correlation_id', $1, true)", request.traceparent)
        return await sign_up(connection, f"{request.span_id}@example.org", name)
