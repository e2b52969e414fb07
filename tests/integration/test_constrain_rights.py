"""Constrain with too few rights: said before anything is changed, by name."""

import pytest

from tests.integration.conftest import MakeRole
from tests.support.constrained import constrained, planned, state
from tests.support.database import Database
from worker.core.constrain.refusal import Ground
from worker.errors import OwnerNeededError
from worker.store.connection import Connection

BILLS = "app.bills.user_id=app.people.id"
TABLES = """
    create schema app;
    create table app.people (id int primary key);
    create table app.bills (user_id int);
    grant usage, create on schema app to shop_owner;
    alter table app.bills owner to shop_owner
"""


@pytest.fixture
async def shop(make_role: MakeRole, connection: Connection) -> Connection:
    """A role that owns the referencing table, beside a referenced one of somebody else."""
    await make_role("shop_owner", "login")
    await connection.execute(TABLES)
    return connection


async def needs(database: Database) -> list[str]:
    """Return what the role lacks, as the plan has it."""
    (plan,) = await planned(database, BILLS, role="shop_owner")
    assert {refusal.ground for refusal in plan.refusals} <= {Ground.RIGHTS}
    return [refusal.what.removeprefix("this role lacks ") for refusal in plan.refusals]


async def test_rights_on_the_referenced_table_are_asked_for(database: Database, shop: Connection) -> None:
    """REFERENCES for the key and SELECT for the orphans; with both the owner of the referencing table needs nobody else."""
    assert await needs(database) == ["REFERENCES on app.people", "SELECT on app.people"]
    await shop.execute("grant references (id), select on app.people to shop_owner")
    (outcome,) = await constrained(database, BILLS, role="shop_owner")

    assert outcome.orphans == {}
    assert len(outcome.done) == 4


async def test_table_of_another_role_is_refused_and_left_as_it_is(database: Database, shop: Connection) -> None:
    """Only its owner may alter it."""
    await shop.execute("alter table app.bills owner to postgres; grant all on all tables in schema app to shop_owner")
    before = await state(shop)
    with pytest.raises(OwnerNeededError, match=r"the ownership of app\.bills"):
        await constrained(database, BILLS, role="shop_owner")

    assert await state(shop) == before


async def test_schema_that_takes_no_index_of_this_role_is_refused(database: Database, shop: Connection) -> None:
    """CREATE is only needed where an index has to be made."""
    await shop.execute("grant references, select on app.people to shop_owner; revoke create on schema app from shop_owner")
    without_index = await needs(database)
    await shop.execute("create index on app.bills (user_id)")

    assert without_index == ["CREATE on the schema of app.bills"]
    assert await needs(database) == []


async def test_rows_that_a_policy_hides_are_not_counted_as_absent(database: Database, shop: Connection) -> None:
    """Who does not see all profiles would take each order for an orphan, or each orphan for none."""
    await shop.execute("grant references, select on app.people to shop_owner; alter table app.people enable row level security")

    assert await needs(database) == ["BYPASSRLS, since row-level security hides rows of app.people"]


async def test_owner_whose_own_rows_are_hidden_is_told_who_sees_them(database: Database, shop: Connection) -> None:
    """Where row-level security is forced it is no help to be the owner."""
    await shop.execute(
        "grant references, select on app.people to shop_owner;"
        "alter table app.bills enable row level security, force row level security"
    )
    (plan,) = await planned(database, BILLS, role="shop_owner")

    assert [(refusal.what, refusal.helps) for refusal in plan.refusals] == [
        (
            "this role lacks BYPASSRLS, since row-level security hides rows of app.bills",
            "connect as the tables' owner where it is not forced, or as a role with bypassrls",
        )
    ]
