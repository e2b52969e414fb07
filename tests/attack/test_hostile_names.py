"""Names that hold quotes of any kind are names."""

import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters
from tests.support.workload import park
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

HOSTILE = """a$guard$b$replay$c$function$d'e""%sf"""
TABLE = f"""
    create table public."{HOSTILE}" (
        "{HOSTILE}" uuid constraint "{HOSTILE}" references public.profiles (id)
    );
    grant insert on public."{HOSTILE}" to public
"""


@pytest.mark.parametrize("mode", ["report", "ensure", "park"])
async def test_columns_tables_keys_and_roles_may_be_called_anything(
    connection: Connection, path: Path, make_role: MakeRole, mode: str
) -> None:
    """No name ends a function's body early, where the rest of it would run with the installer's rights."""
    await connection.execute(TABLE)
    await make_role(f'"{HOSTILE}"')
    name = HOSTILE.replace('""', '"')
    await connection.execute("select pgmend.grant_captures(pg_catalog.quote_ident($1)::regrole)", name)
    guard = "select pgmend.guard(('public.' || pg_catalog.quote_ident($1))::regclass, $1::text::name, mode => $2)"
    await connection.execute(guard, name, mode)
    key = await sign_up(connection)

    async with connection.transaction():
        await connection.execute(f'set local role "{HOSTILE}"')
        await park(connection, f'public."{HOSTILE}"', {name: key})
    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, f'public."{HOSTILE}"') == 1
