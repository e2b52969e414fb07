"""docs/clients.md holds what real clients see: each row of its tables is tried."""

import pytest

from tests.clients.application import MODES, Stage
from tests.clients.client import Client
from tests.clients.conftest import SetStage
from tests.clients.page import table_below
from tests.clients.with_asyncpg import ASYNCPG
from tests.clients.with_django import DJANGO
from tests.clients.with_node import NODE, install, is_present
from tests.clients.with_psycopg import PSYCOPG
from tests.clients.with_sqlalchemy import SQLALCHEMY
from worker import pipeline
from worker.pipeline import Path

CLIENTS = {client.name: client for client in (PSYCOPG, ASYNCPG, SQLALCHEMY, DJANGO, NODE)}
CALLS = [(client.name, call) for client in CLIENTS.values() for call in client.calls]
USERS = {
    "missing": "A user whose profile is missing",
    "unknown": "A user who does not exist",
    "there": "A user whose profile is there",
}
FUNCTIONS = ("insert_or_park", "report_failed_insert")


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Client:
    """The client of that name, or a skipped test where it cannot be had."""
    client = CLIENTS[request.param]
    if client is NODE:
        if not is_present():
            pytest.skip("Node.js and npm are not installed")
        install()
    return client


async def observe(client: Client, call: str, stage: Stage, mode: str, path: Path) -> dict[str, str]:
    """Return what the client sees for each user. Whoever saw no error finds the row stored, once the worker has had its turn."""
    if not await stage.guard(mode):
        return dict.fromkeys(USERS, "refused by `pgmend.guard`")
    seen = {}
    for user in USERS:
        before = await stage.stored()
        seen[user] = await client.see(call, stage, await stage.user(user))
        await pipeline.turn(path)
        assert (await stage.stored() > before) == (not seen[user].startswith("raises")), (mode, user)
    return seen


@pytest.mark.parametrize(("client", "call"), CALLS, indirect=["client"])
async def test_plain_insert_looks_to_the_client_as_the_page_says(
    client: Client, call: str, stage_for: SetStage, path: Path
) -> None:
    """Row, rowcount and exception are those of the page, for each user and in each mode of the guard."""
    stage = await stage_for(client.application)

    seen = {mode: await observe(client, call, stage, mode, path) for mode in MODES}

    for user, heading in USERS.items():
        assert {mode: seen[mode][user] for mode in MODES} == table_below(heading)[client.name, call], user


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
async def test_function_looks_to_the_client_as_the_page_says(
    client: Client, function: str, stage_for: SetStage, path: Path
) -> None:
    """The receipt is that of the page, and the worker stores each row that there is a receipt for."""
    stage = await stage_for(client.application)
    await stage.guard("report")

    seen = {
        "profile missing": await client.hand_over(function, stage, await stage.user("missing")),
        "user unknown": await client.hand_over(function, stage, await stage.user("unknown")),
    }
    await pipeline.turn(path)

    assert seen == table_below("The two functions")[client.name, f"`{function}`"]
    assert await stage.stored() == sum(not answer.startswith("raises") for answer in seen.values())


@pytest.mark.parametrize("heading", USERS.values())
def test_page_has_a_row_for_every_call_and_a_column_for_every_mode(heading: str) -> None:
    """Nothing on the page is untried, and nothing that is tried is left out."""
    table = table_below(heading)

    assert list(table) == CALLS
    assert all(tuple(cells) == MODES for cells in table.values())
