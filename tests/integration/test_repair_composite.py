"""Composite references: diagnosed, repaired, restored and verified as the others are."""

import uuid

import pytest

from tests.support.database import Database, count
from tests.support.process import run_command
from tests.support.shop_of_orphans import checksums, planned, repaired, restored, settled
from worker.store.connection import Connection

WHOLE = uuid.uuid5(uuid.NAMESPACE_DNS, "whole")
LOST = uuid.uuid5(uuid.NAMESPACE_DNS, "lost")
TABLE = "public.bills"
REFERENCE = "public.bills.tenant,payer=public.profiles.tenant,id"
SHORT = "bills.tenant,payer=profiles.tenant,id"
TENANT = {"plain": "tenant int", "generated": "code int, tenant int generated always as (code % 100) stored"}
SHOP = """
    delete from pgmend.guarded_constraints;
    alter table public.profiles add column tenant int not null default 1, add unique (tenant, id);
    set session_replication_role = replica;
    insert into public.profiles (id, name) values ('{whole}', 'whole');
    set session_replication_role = origin;
    create table public.bills (id int primary key, {tenant}, payer uuid);
    insert into public.bills (id, {given}, payer) values
        (1, 1, '{whole}'), (2, 2, '{whole}'), (3, 1, '{lost}'), (4, null, '{lost}'), (5, 1, null), (6, 1, '{lost}')
"""


@pytest.fixture(params=list(TENANT))
async def shop(connection: Connection, request: pytest.FixtureRequest) -> Connection:
    """Bills by tenant and payer: one whole, one of another tenant, two of nobody, two that refer to nothing."""
    given = "tenant" if request.param == "plain" else "code"
    await connection.execute(SHOP.format(whole=WHOLE, lost=LOST, tenant=TENANT[request.param], given=given))
    return connection


async def test_orphans_of_a_composite_key_go_and_come_back(database: Database, shop: Connection) -> None:
    """Those of nobody; a key with a null in it refers to nothing, and whose tenant is another's is left to a person."""
    session, before = await settled(database), await checksums(shop, [TABLE])
    plan = await planned(session, REFERENCE, only=["bills.tenant,payer"])
    assert {(step.reason, step.rows, step.strategy) for step in plan.steps} == {
        ("unknown", 2, "quarantine"),
        ("mismatched", 1, None),
    }

    repair_id, _ = await repaired(session, plan)

    assert [row[0] for row in await shop.fetch("select id from public.bills order by id")] == [1, 2, 4, 5]
    assert await restored(session, repair_id) == (2, 0)
    assert await checksums(shop, [TABLE]) == before


@pytest.mark.parametrize(
    ("strategy", "payer"),
    [(f"reassign:{WHOLE}", WHOLE), ("nullify", None), ("map:keys.csv", WHOLE)],
    ids=["reassign", "nullify", "map"],
)
async def test_users_column_of_a_composite_key_is_changed_and_changed_back(
    database: Database, shop: Connection, strategy: str, payer: uuid.UUID | None
) -> None:
    """The tenant stays as it is, computed or not."""
    session, before = await settled(database), await checksums(shop, [TABLE])
    wishes = {"mappings": {"keys.csv": {str(LOST): str(WHOLE)}}, "on_delete": {"bills.tenant,payer": "set null"}}
    plan = await planned(session, REFERENCE, strategies=[f"bills.tenant,payer:unknown={strategy}"], **wishes)

    repair_id, _ = await repaired(session, plan)

    assert {tuple(row) for row in await shop.fetch("select tenant, payer from public.bills where id in (3, 6)")} == {(1, payer)}
    assert await restored(session, repair_id) == (2, 0)
    assert await checksums(shop, [TABLE]) == before


@pytest.mark.parametrize("match", ["simple", "full"])
async def test_key_with_a_null_in_it_is_no_orphan_whatever_the_key_matches(
    database: Database, shop: Connection, match: str
) -> None:
    """MATCH FULL will not have such rows, but they refer to nobody who is missing."""
    await shop.execute(
        f"alter table public.bills add constraint bills_payer_fkey foreign key (tenant, payer) "
        f"references public.profiles (tenant, id) match {match} not valid"
    )
    plan = await planned(await settled(database), only=["bills.tenant,payer"])

    assert sum(step.rows for step in plan.steps) == 3
    assert plan.references[0].reference.constraint_name == "bills_payer_fkey"


async def test_commands_take_the_spelling_that_constrain_takes(database: Database, shop: Connection) -> None:
    """Diagnose, repair, verify and constrain, with the names that the search path finds."""
    diagnosed = await run_command(database.url, "diagnose", "--reference", SHORT)
    verified = await run_command(database.url, "verify", "--reference", SHORT)
    applied = await run_command(
        database.url, "repair", "--apply", "--reference", SHORT, "--only", "bills.tenant,payer",
        "--strategy", "bills.tenant,payer:mismatched=quarantine",
    )  # fmt: skip
    constrained = await run_command(database.url, "constrain", "--apply", "--reference", SHORT, "--only", "bills.tenant,payer")

    assert (diagnosed[0], verified[0], applied[0], constrained[0]) == (3, 3, 0, 0), (diagnosed, verified, applied, constrained)
    assert "bills.tenant,payer=profiles.tenant,id" in diagnosed[1]
    assert await count(shop, "pg_constraint where conrelid = 'public.bills'::regclass and contype = 'f' and convalidated") == 1


@pytest.mark.parametrize("command", ["diagnose", "repair"])
async def test_pairs_that_do_not_pair_are_refused(database: Database, shop: Connection, command: str) -> None:
    """Two columns on one side and one on the other are a mistake."""
    assert await count(shop, TABLE) == 6
    status, _, err = await run_command(database.url, command, "--reference", "bills.tenant,payer=profiles.id")

    assert status in {30, 36}
    assert "more columns" in err
