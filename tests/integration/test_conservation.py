"""Conservation: whatever a repair does, each row is in its table or in the quarantine, and a restore makes it what it was."""

from collections.abc import AsyncIterator, Mapping

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.database import Database, count, create_database, drop_database
from tests.support.orphan_shapes import PEOPLE, REFERENCES, SCHEMA, TABLES, Rows, fill, key_of, make_people
from tests.support.shop_of_orphans import checksums, planned, repaired, restored, settled
from worker import embedded
from worker.core.repair_plan import Plan
from worker.repair_run import Pacing
from worker.store.connection import Connection, Target, connect

NAMES = [f"public.{table}" for table in TABLES]
TAKEN = "action in ('quarantine', 'delete') and restored_at is null"
CHOICES = ["quarantine", "delete", f"reassign:{key_of(0)}"]


@pytest.fixture
async def shapes(cluster: embedded.Cluster, template: str) -> AsyncIterator[Database]:
    """A database with the tables and the people, to be copied for each example."""
    database = await create_database(cluster, template)
    connection = await connect(Target(database.url))
    await connection.execute(SCHEMA)
    await make_people(connection)
    await connection.close()
    yield database
    await drop_database(database)


@st.composite
def filled(draw: st.DrawFn) -> Rows:
    """Rows for every table, and links between them; rings are as many on both sides."""
    person = st.integers(0, len(PEOPLE) - 1)
    people = {table: draw(st.lists(person, max_size=6)) for table in TABLES if table != "rings_b"}
    people["rings_b"] = people["rings_a"]
    return Rows(people, draw(st.lists(st.integers(0, 5), max_size=6)))


@st.composite
def told(draw: st.DrawFn) -> list[str]:
    """What a person says of some references and reasons."""
    changeable = ("orders.user_id", "clicks.user_id", "nodes.user_id", "oddities.user_id", "places.user_id", "visits.user_id")
    pairs = draw(
        st.lists(st.tuples(st.sampled_from(changeable), st.sampled_from(["erased", "gone", "unknown", "healable"])), max_size=6)
    )
    return [f"{reference}:{reason}={draw(st.sampled_from(CHOICES))}" for reference, reason in pairs] + [
        f"leads.user_id:unknown={draw(st.sampled_from(['nullify', 'quarantine']))}"
    ]


async def plan_of(session: Connection, strategies: list[str]) -> Plan:
    """Return the plan for all references."""
    references = [f"public.{name}=public.profiles.id" for name in REFERENCES]
    return await planned(session, *references, strategies=strategies, on_delete={"leads.user_id": "set null"})


async def rows_of(connection: Connection, where: str) -> Mapping[str, int]:
    """Return how many rows each table has, and how many of it lie in the quarantine."""
    held = {
        row[0]: row[1]
        for row in await connection.fetch(f"select table_name, count(*) from pgmend.quarantine where {where} group by 1")
    }
    return {name: await count(connection, name) + held.get(name, 0) for name in NAMES}


@pytest.mark.parametrize("budget", [10_000, 1])
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=filled(), strategies=told())
async def test_no_row_is_lost_and_a_restore_gives_each_back(
    shapes: Database, budget: int, rows: Rows, strategies: list[str]
) -> None:
    """Tables and quarantine together hold what the tables held; nothing is left to repair; all tables come back byte for byte."""
    database = await create_database(shapes.cluster, shapes.name)
    connection, session = await database.connect(), await settled(database)
    await fill(connection, rows)
    before, counts = await checksums(connection, NAMES), await rows_of(connection, "false")

    repair_id, _ = await repaired(session, await plan_of(session, strategies), pacing=Pacing(pause=0, budget=budget))

    assert await rows_of(connection, TAKEN) == counts
    assert (await plan_of(session, strategies)).acting == ()
    await connection.execute("alter table public.bills drop constraint bills_payer_fkey")
    assert (await restored(session, repair_id))[1] == 0, await connection.fetch(
        "select refusal from pgmend.quarantine where refusal is not null"
    )
    assert await checksums(connection, NAMES) == before
    await drop_database(database)
