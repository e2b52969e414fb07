"""References: what refers to the profiles, by a key or by its name."""

import pytest

from tests.support.database import Database
from worker.store import references
from worker.store.connection import Connection

TABLES = """
    create table public.users (id uuid primary key);
    create table public."Profile" (id uuid primary key, "orgId" int, unique ("orgId", id));
    create table public.orders (user_id uuid constraint fk_orders_user_id references public."Profile" on delete set null);
    create table public.bills (payer uuid not null, org int);
    alter table public.bills add constraint bills_payer_fkey foreign key (org, payer)
        references public."Profile" ("orgId", id) on delete cascade not valid;
    create table public.visits (user_id uuid references public."Profile" deferrable, place text) partition by list (place);
    create table public.visits_here partition of public.visits for values in ('here');
    create table public.leads (id int, user_id text);
    create table public.notes ("profileId" uuid not null);
    create temp table scratch (user_id uuid)
"""


@pytest.fixture
async def shop(empty_database: Database) -> Connection:
    """A database with keys of many kinds to one table, and columns without one."""
    connection = await empty_database.connect()
    await connection.execute(TABLES)
    return connection


async def test_declared_keys_are_found_with_all_that_matters_of_them(shop: Connection) -> None:
    """Composite keys in their order, keys that are not valid, deferrable ones; partitions are their root's matter."""
    found = {reference.constraint_name: reference for reference in await references.declared(shop, 'public."Profile"')}

    assert set(found) == {"fk_orders_user_id", "bills_payer_fkey", "visits_user_id_fkey"}
    assert found["bills_payer_fkey"].referenced_columns == ("orgId", "id")
    assert found["bills_payer_fkey"].name == 'bills.org,payer="Profile".orgId,id'
    said = {name: (key.on_delete, key.is_validated, key.is_nullable, key.is_partitioned) for name, key in found.items()}
    assert said == {
        "fk_orders_user_id": ("set null", True, True, False),
        "bills_payer_fkey": ("cascade", False, False, False),
        "visits_user_id_fkey": ("no action", True, True, True),
    }


async def test_columns_that_should_refer_are_found_by_their_names(shop: Connection) -> None:
    """As a column that does refer, or as it is told; what has a key, the table itself and temporary tables are left out."""
    found = await references.intended(shop, 'public."Profile"', "id", names=["profileId"])

    assert [reference.name for reference in found] == ['leads.user_id="Profile".id', 'notes.profileId="Profile".id']
    assert [(reference.is_declared, reference.types_match) for reference in found] == [(False, False), (False, True)]


async def test_reference_that_a_person_names_is_looked_up(shop: Connection) -> None:
    """With its key where one stands, without where none does, and not at all where a column is missing."""
    declared = await references.named(shop, ("public.orders", "user_id"), ('public."Profile"', "id"))
    missing = await references.named(shop, ("public.leads", "user_id"), ('public."Profile"', "id"))

    assert declared is not None
    assert missing is not None
    assert (declared.constraint_name, missing.constraint_name) == ("fk_orders_user_id", None)
    assert await references.named(shop, ("public.leads", "owner"), ('public."Profile"', "id")) is None


async def test_composite_reference_that_a_person_names_is_looked_up(shop: Connection) -> None:
    """Pair by pair, in the order of the person; the key is found in whatever order it stands, and never by a wrong pair."""
    turned = await references.named(shop, ("public.bills", "payer", "org"), ('public."Profile"', "id", "orgId"))
    wrong = await references.named(shop, ("public.bills", "payer", "org"), ('public."Profile"', "orgId", "id"))
    half = await references.named(shop, ("public.bills", "payer", "place"), ('public."Profile"', "id", "orgId"))

    assert turned is not None
    assert (turned.name, turned.constraint_name) == ('bills.payer,org="Profile".id,orgId', "bills_payer_fkey")
    assert wrong is not None
    assert wrong.constraint_name is None
    assert half is None
