"""Constrain beside an attached source: what refers to its profiles is found by itself, counted by reason, and guarded."""

import uuid
from typing import Any

import pytest

from tests.support.constrained import constrained, planned, refused
from tests.support.database import Database, count, sign_up
from worker.store.connection import Connection

LOOSE = """
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.leads drop constraint leads_user_id_fkey;
    delete from pgmend.guarded_constraints where constraint_name in ('fk_orders_user_id', 'leads_user_id_fkey');
    alter table public.leads add constraint leads_user_id_fkey
        foreign key (user_id) references public.profiles (id) on delete cascade not valid
"""


@pytest.fixture
async def shop(connection: Connection) -> Connection:
    """The sample application without the key of its orders, and with one of its leads that is not valid."""
    await connection.execute(LOOSE)
    return connection


async def guards(connection: Connection) -> dict[str, str]:
    """Return the mode of each guard."""
    rows = await connection.fetch("select constraint_name, mode from pgmend.guarded_constraints")
    return {row["constraint_name"]: row["mode"] for row in rows}


async def test_references_to_the_profiles_are_found_by_themselves(database: Database, shop: Connection) -> None:
    """The key that is not valid, and the column that is named like one that refers; valid keys and the audit are left out."""
    plans = await planned(database)

    assert await count(shop, "pgmend.profile_sources") == 1
    assert [plan.wish.reference.name for plan in plans] == ["leads.user_id=profiles.id", "orders.user_id=profiles.id"]
    assert [len(plan.steps) for plan in plans] == [2, 3]


async def test_column_that_only_seems_to_refer_is_left_out_and_holds_up_nothing(database: Database, shop: Connection) -> None:
    """Nobody asked for it by name: the reason is told, and the others are constrained. Asked for, it is refused."""
    await shop.execute("create table public.legacy (user_id text)")
    plans = {plan.wish.reference.referencing_table: plan for plan in await planned(database)}
    line = await refused(database, "legacy.user_id=profiles.id")

    assert [refusal.what for refusal in plans["legacy"].left_out] == [
        "the types differ: user_id is text where id is uuid (the server says 42804)"
    ]
    assert (plans["legacy"].steps, plans["legacy"].refusals) == ((), ())
    assert "the types differ" in line


async def test_orphans_are_counted_by_what_became_of_the_user(database: Database, shop: Connection) -> None:
    """Whom a profile can be made for, who is erased, and whom nobody knows."""
    erased, healable = [await sign_up(shop, f"{name}@x") for name in ("erased", "healable")]
    await shop.execute("update public.users set deleted_at = now() where id = $1", erased)
    keys = [erased, healable, healable, str(uuid.uuid4())]
    await shop.execute("insert into public.orders (user_id, amount) select unnest($1::uuid[]), 1", keys)

    outcomes = {it.wish.reference.referencing_table: it for it in await constrained(database)}

    assert outcomes["orders"].orphans == {"healable": 2, "erased": 1, "unknown": 1}
    assert outcomes["leads"].orphans == {}


async def test_valid_key_is_guarded_where_that_is_asked_for(database: Database, shop: Connection) -> None:
    """As the last step, by pgmend.guard; where it is not asked for the SQL is told."""
    (plan,) = await planned(database, only=["orders.user_id"])
    (outcome,) = await constrained(database, only=["orders.user_id"], guard_mode="ensure")
    (again,) = await planned(database, "orders.user_id=profiles.id", only=["orders.user_id"], guard_mode="ensure")

    sql = "select pgmend.guard('public.orders', 'orders_user_id_fkey', mode => 'ensure')"
    assert any(sql in note for note in plan.notes)
    assert outcome.done[-1] == sql
    assert (await guards(shop))["orders_user_id_fkey"] == "ensure"
    assert again.steps == ()


async def test_only_what_is_named_is_constrained(database: Database, shop: Connection) -> None:
    """The rest stays as it is, and a name that fits nothing is told."""
    (outcome,) = await constrained(database, only=["public.leads.user_id"])
    line = await refused(database, only=["leads.id"])

    assert outcome.key_name == "leads_user_id_fkey"
    assert await count(shop, "pg_constraint where conrelid = 'public.orders'::regclass and contype = 'f'") == 0
    assert "leads.id is no reference that is known -> add --reference 'leads.id=table.column', or mind the spelling" in line


@pytest.mark.parametrize(
    "asked",
    [
        {"only": ["orders.user_id"]},
        {"names": ["orders.user_id=fk_orders"]},
        {"on_delete": ["public.orders.user_id=cascade"]},
        {"deferrable": ["orders.user_id=immediate"]},
    ],
)
@pytest.mark.usefixtures("shop")
async def test_key_that_is_valid_by_now_may_be_named_as_before(database: Database, asked: dict[str, Any]) -> None:
    """A run that is made again names what an earlier one has finished: nothing is to be done there, and the rest goes on."""
    await constrained(database, only=["orders.user_id"], names=["orders.user_id=fk_orders"], on_delete=["orders.user_id=cascade"])
    outcomes = {it.wish.reference.referencing_table: it for it in await constrained(database, **asked)}

    assert (outcomes["orders"].key_name, outcomes["orders"].done) == ("fk_orders", ())
    assert ("leads" in outcomes) == ("only" not in asked)


async def test_key_that_is_valid_by_now_is_guarded_where_only_it_is_named(database: Database, shop: Connection) -> None:
    """It is as if it had been named with --reference."""
    await constrained(database, only=["orders.user_id"])
    (outcome,) = await constrained(database, only=["orders.user_id"], guard_mode="ensure")

    assert outcome.done == ("select pgmend.guard('public.orders', 'orders_user_id_fkey', mode => 'ensure')",)
    assert (await guards(shop))["orders_user_id_fkey"] == "ensure"


async def test_audit_takes_no_key_whatever_its_table_is_called(database: Database, shop: Connection) -> None:
    """The catalog says which table it is; it names users who are gone as well."""
    await shop.execute("alter table public.error_logs rename to history")
    plans = await planned(database)
    line = await refused(database, "history.user_id=profiles.id")

    assert [plan.wish.reference.referencing_table for plan in plans] == ["leads", "orders"]
    assert "history is the audit" in line


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"on_delete": ["orders.user_id=vanish"]}, "there is no choice vanish"),
        ({"on_delete": ["orders.user_id"]}, "is no table.column=choice"),
        ({"names": ["orders.owner=fk"]}, "orders.owner is no reference"),
        ({"only": ["nowhere.user_id"]}, "there is no table nowhere"),
        ({"only": ["orders"]}, "is no table.column"),
    ],
)
async def test_choice_that_fits_nothing_is_told(
    database: Database, shop: Connection, asked: dict[str, list[str]], said: str
) -> None:
    """A slip of the pen is never passed over in silence."""
    assert said in await refused(database, **asked)
    assert await count(shop, "pg_constraint where not convalidated") == 1


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("orders.user_id", "is no table.column=table.column"),
        ("orders.user_id,id=profiles.id", "more columns on one side"),
        ("orders.usr=profiles.id", "a column of orders.usr=profiles.id does not exist"),
        ("ordres.user_id=profiles.id", "there is no table ordres"),
        ("a b.user_id=profiles.id", "there is no table a b"),
    ],
)
async def test_reference_that_does_not_exist_is_told(database: Database, shop: Connection, reference: str, said: str) -> None:
    """With what is wrong with it."""
    assert said in await refused(database, reference)
    assert await count(shop, "pg_constraint where not convalidated") == 1
