"""What probes and metrics set for their own questions: a pooler gives their session to the worker next."""

from tests.support.database import Database
from worker.store.connection import Connection, Target
from worker.web.reader import Reader


async def test_impatience_of_the_observer_ends_with_its_question(database: Database) -> None:
    """A statement of theirs has little time; the session that they leave behind has what the worker's sessions have."""
    reader = Reader(Target(database.url, statement_timeout=30), statement_seconds=0.5)

    async def question(connection: Connection) -> tuple[Connection, str]:
        return connection, str(await connection.fetchval("show statement_timeout"))

    session, within = await reader.ask(question)
    after = await session.fetchval("show statement_timeout")
    await reader.close()

    assert (within, after) == ("500ms", "30s")
