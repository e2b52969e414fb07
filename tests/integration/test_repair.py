"""A repair: each orphan gets what its reason calls for, and nobody else is touched."""

import uuid

import pytest

from tests.support.database import Database, count, sign_up
from tests.support.shop_of_orphans import checksums, planned, repaired, restored, settled
from worker.errors import RepairRefusedError
from worker.store.connection import Connection

LOOSE = """
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.leads drop constraint leads_user_id_fkey;
    alter table public.leads alter user_id drop not null;
    delete from pgmend.guarded_constraints;
    set session_replication_role = replica
"""
ORDERS, LEADS = "public.orders.user_id=public.profiles.id", "public.leads.user_id=public.profiles.id"


@pytest.fixture
async def keys(connection: Connection) -> dict[str, str]:
    """A key for each reason, with an order of each, and one of somebody whole."""
    await connection.execute(LOOSE)
    made = {name: await sign_up(connection, f"{name}@x") for name in ("healable", "erased", "whole", "gone")}
    await connection.execute("update public.users set deleted_at = now() where id = $1", made["erased"])
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", made["whole"])
    await connection.execute("delete from public.users where id = $1", made["gone"])
    await connection.execute(
        "insert into public.error_logs (error_type, severity, user_id, message) "
        "values ('MISSING_PROFILE_CREATED', 'info', $1, 'was there')",
        made["gone"],
    )
    made["unknown"] = str(uuid.uuid4())
    await connection.execute("insert into public.orders (user_id, amount) select unnest($1::uuid[]), 1", list(made.values()))
    await connection.execute("set session_replication_role = origin")
    return made


async def test_each_reason_gets_its_strategy_and_users_who_exist_are_left_alone(
    database: Database, connection: Connection, keys: dict[str, str]
) -> None:
    """Who can be healed is healed, who is gone or was never there is taken away; the erased user's row stays."""
    session = await settled(database)

    _, steps = await repaired(session, await planned(session, ORDERS))

    assert {(step.reason, step.strategy, step.rows_done) for step in steps} == {
        ("healable", "heal", 1),
        ("gone", "quarantine", 1),
        ("unknown", "quarantine", 1),
    }
    left = {str(row[0]) for row in await connection.fetch("select user_id from public.orders")}
    assert left == {keys["healable"], keys["erased"], keys["whole"]}
    assert await count(connection, "public.profiles where id = $1", keys["healable"]) == 1


async def test_user_is_healed_however_the_key_is_spelled(
    database: Database, connection: Connection, keys: dict[str, str]
) -> None:
    """Text keys of one user in five spellings are one profile, made once, and audited by the key that the user has."""
    user = keys["healable"]
    spelled = [user.upper(), f"{{{user}}}", user.replace("-", ""), f"\t{user}\n", f"{user} "]
    await connection.execute("create table public.imports (user_id text)")
    await connection.executemany("insert into public.imports values ($1)", [(it,) for it in spelled])
    session = await settled(database)
    imports = "public.imports.user_id=public.profiles.id"

    _, (step,) = await repaired(session, await planned(session, imports, only=[imports]))

    assert (step.reason, step.strategy, step.rows_refused) == ("healable", "heal", 0)
    assert await count(connection, "public.profiles where id = $1", user) == 1
    assert await count(connection, "public.imports") == len(spelled)
    made = "public.error_logs where error_type = 'MISSING_PROFILE_CREATED' and user_id = $1"
    assert await count(connection, made, user) == 1


async def test_second_repair_finds_nothing_to_do(database: Database, keys: dict[str, str]) -> None:
    """The plan is empty but for what is left alone."""
    assert keys
    session = await settled(database)
    await repaired(session, await planned(session, ORDERS))

    assert (await planned(session, ORDERS)).acting == ()


async def test_restored_rows_are_what_they_were(database: Database, connection: Connection, keys: dict[str, str]) -> None:
    """Value by value, and once: a second restore finds nothing."""
    assert keys
    session = await settled(database)
    before = await checksums(connection, ["public.orders"])
    repair_id, _ = await repaired(session, await planned(session, ORDERS))
    assert await checksums(connection, ["public.orders"]) != before

    assert await restored(session, repair_id) == (2, 0)
    assert await checksums(connection, ["public.orders"]) == before
    assert await restored(session, repair_id) == (0, 0)


async def test_plan_changes_nothing(database: Database, connection: Connection, keys: dict[str, str]) -> None:
    """It counts, and that is all."""
    assert keys
    session = await settled(database)

    plan = await planned(session, ORDERS)

    assert {step.reason: (step.rows, step.keys) for step in plan.steps} == dict.fromkeys(
        ("healable", "erased", "gone", "unknown"), (1, 1)
    )
    assert await count(connection, "pgmend.repairs") == 0
    assert await count(connection, "public.orders") == 5


@pytest.mark.parametrize(
    ("strategy", "value"),
    [("reassign:{whole}", "whole"), ("nullify", None), ("map:keys.csv", "whole")],
    ids=["reassign", "nullify", "map"],
)
async def test_changed_rows_get_the_new_key_and_back_again(
    database: Database, connection: Connection, keys: dict[str, str], strategy: str, value: str | None
) -> None:
    """The key is another, or none; a restore gives the old one back."""
    await connection.execute("insert into public.leads (user_id, source) values ($1, 'web')", keys["unknown"])
    before = await checksums(connection, ["public.leads"])
    session = await settled(database)
    plan = await planned(
        session,
        LEADS,
        strategies=[f"leads.user_id:unknown={strategy.format(**keys)}"],
        on_delete={"leads.user_id": "set null"},
        only=["leads.user_id"],
        mappings={"keys.csv": {keys["unknown"]: keys["whole"]}},
    )

    repair_id, _ = await repaired(session, plan)

    new_key = await connection.fetchval("select user_id::text from public.leads")
    assert new_key == (value and keys[value])
    assert await restored(session, repair_id) == (1, 0)
    assert await checksums(connection, ["public.leads"]) == before


async def test_row_that_was_changed_since_keeps_its_new_value(
    database: Database, connection: Connection, keys: dict[str, str]
) -> None:
    """A restore takes nothing back that somebody else has decided meanwhile."""
    await connection.execute("insert into public.leads (user_id, source) values ($1, 'web')", keys["unknown"])
    session = await settled(database)
    strategies = [f"leads.user_id:unknown=reassign:{keys['whole']}"]
    repair_id, _ = await repaired(session, await planned(session, LEADS, strategies=strategies, only=["leads.user_id"]))
    await connection.execute("update public.leads set user_id = $1", keys["erased"])

    assert await restored(session, repair_id) == (0, 1)
    assert await connection.fetchval("select user_id::text from public.leads") == keys["erased"]
    assert await connection.fetchval("select refusal ->> 'sqlstate' from pgmend.quarantine") == "PM034"


async def test_erased_user_is_touched_when_a_person_says_so(
    database: Database, connection: Connection, keys: dict[str, str]
) -> None:
    """The reason is named, and then it is done."""
    session = await settled(database)
    await repaired(session, await planned(session, ORDERS, strategies=["orders.user_id:erased=delete"]))

    assert await count(connection, "public.orders where user_id = $1", keys["erased"]) == 0
    assert await count(connection, "pgmend.quarantine where action = 'delete' and old_key = $1", keys["erased"]) == 1


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        ("unknown=nullify", "not nullable"),
        ("unknown=heal", "only what is healable"),
        ("erased=map:keys.csv", None),
    ],
)
async def test_strategy_that_is_not_safe_is_refused(
    database: Database, keys: dict[str, str], strategy: str, why: str | None
) -> None:
    """With the reason, before anything is done."""
    session = await settled(database)
    wishes = {"mappings": {"keys.csv": {keys["erased"]: keys["whole"]}}}
    if why is None:
        assert (await planned(session, ORDERS, strategies=[f"orders.user_id:{strategy}"], **wishes)).acting
        return
    with pytest.raises(RepairRefusedError, match=why):
        await planned(session, ORDERS, strategies=[f"orders.user_id:{strategy}"], **wishes)


async def test_guess_by_name_is_not_acted_on(database: Database, connection: Connection, keys: dict[str, str]) -> None:
    """A column that only looks as if it referred to profiles is shown, and left alone until it is named."""
    assert keys
    await connection.execute("alter table public.leads add foreign key (user_id) references public.profiles (id)")
    session = await settled(database)

    plan = await planned(session)

    assert "public.orders" in {step.where.reference.referencing_table for step in plan.steps}
    assert plan.acting == ()


@pytest.mark.parametrize(("audit", "entries"), [("row", 2), ("batch", 2)])
async def test_audit_names_what_was_found(
    database: Database, connection: Connection, keys: dict[str, str], audit: str, entries: int
) -> None:
    """By row with its key, by batch with the count: here two steps of a row each."""
    session = await settled(database)
    await repaired(session, await planned(session, ORDERS), audit=audit)

    rows = await connection.fetch("select user_id from public.error_logs where error_type = 'ORPHANED_ORDER_DETECTED'")
    assert len(rows) == entries
    assert {row[0] for row in rows} == ({keys["gone"], keys["unknown"]} if audit == "row" else {None})
