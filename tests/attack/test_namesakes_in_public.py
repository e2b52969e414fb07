"""A function that somebody makes in a schema on everybody's path is not taken for one of the catalog."""

import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.workload import park
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

NAMESAKES = """
    set role mallory;
    create function public.quote_ident(given name) returns text language plpgsql as
    $$ begin raise warning 'quote_ident'; return pg_catalog.quote_ident(given::text); end $$;
    create function public.format(template text, t regclass, columns text) returns text language plpgsql as
    $$ begin raise warning 'format 3'; return pg_catalog.format(template, t, columns); end $$;
    create function public.format(template text, t regclass) returns text language plpgsql as
    $$ begin raise warning 'format 2'; return pg_catalog.format(template, t); end $$;
    create function public.has_column_privilege(t regclass, given name, what text) returns boolean language plpgsql as
    $$ begin raise warning 'has_column_privilege'; return true; end $$;
    create function public.jsonb_build_object(a text, b text, c text, d bigint) returns jsonb language plpgsql as
    $$ begin raise warning 'jsonb_build_object'; return null; end $$;
"""


@pytest.fixture
async def heard(connection: Connection, database: Database, make_role: MakeRole) -> list[str]:
    """What the functions of somebody who may create in the schema public say when the application's session calls them."""
    await make_role("mallory")
    await connection.execute("grant create on schema public to mallory; set client_min_messages = warning")
    await (await database.connect()).execute(NAMESAKES)
    heard: list[str] = []
    connection.add_log_listener(lambda _, message: heard.append(message.message or ""))
    return heard


async def test_captures_call_the_catalogs_functions(connection: Connection, path: Path, heard: list[str]) -> None:
    """Whoever captures, by a call or by the mode park, runs no function that somebody else has named so."""
    await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'park')")
    key = await sign_up(connection)

    await park(connection, "public.leads", {"user_id": key, "source": "web"})
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)
    await pipeline.turn(path)

    await connection.execute("select")
    assert await count(connection, "public.orders, public.leads") == 1
    assert heard == []
