"""What a repair asks before it judges: every source of the profiles, and whether a table is the audit."""

import pytest

from tests.support.database import Database, count
from tests.support.process import run_command
from tests.support.shop_of_orphans import planned, repaired, settled
from worker.errors import RepairRefusedError
from worker.store.connection import Connection

ORDERS = "public.orders.user_id=public.profiles.id"
MEMBERS = """
    delete from pgmend.guarded_constraints;
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.profiles drop constraint profiles_id_fkey;
    create table public.members (id uuid primary key, nick text);
    select pgmend.attach_source('public.members', 'public.profiles', '{"name": "users.nick"}');
    set session_replication_role = replica;
    insert into public.users (id, email, deleted_at) values
        (md5('user')::uuid, 'u', null), (md5('both')::uuid, 'b', now()), (md5('erased')::uuid, 'e', now());
    insert into public.members values (md5('member')::uuid, 'm'), (md5('both')::uuid, 'b');
    insert into public.orders (user_id, amount)
    select md5(name)::uuid, 1 from unnest('{user,member,both,erased,unknown}'::text[]) as name;
    set session_replication_role = origin
"""
AUDIT = "public.error_logs.user_id=public.profiles.id"


async def test_whom_any_source_knows_is_healed_by_that_source(database: Database, connection: Connection) -> None:
    """Two users tables share the profiles: nobody whom only the second knows is taken for unknown."""
    await connection.execute(MEMBERS)
    session = await settled(database)
    plan = await planned(session, ORDERS, only=["orders.user_id"])
    assert {(step.reason, step.rows, step.argument) for step in plan.steps} == {
        ("healable", 1, "source 1"),
        ("healable", 2, "source 2"),
        ("erased", 1, None),
        ("unknown", 1, None),
    }

    _, steps = await repaired(session, plan)

    assert [(step.strategy, step.rows_done) for step in steps] == [("heal", 1), ("heal", 2), ("quarantine", 1)]
    assert await connection.fetchval("select name from public.profiles where id = md5('member')::uuid") == "m"
    assert await count(connection, "public.orders") == 4


async def test_audit_is_no_target_of_a_repair(database: Database, connection: Connection) -> None:
    """Neither by the name of its column, nor because a person says so."""
    await connection.execute("alter table public.orders drop constraint fk_orders_user_id")
    session = await settled(database)
    plan = await planned(session)

    assert "public.orders" in {where.reference.referencing_table for where in plan.references}
    assert "public.error_logs" not in {where.reference.referencing_table for where in plan.references}
    with pytest.raises(RepairRefusedError, match="is the audit"):
        await planned(session, AUDIT)


async def test_no_command_makes_a_key_of_the_audit(database: Database, connection: Connection) -> None:
    """An entry about somebody who is gone could not be written."""
    assert await count(connection, "pg_constraint where conrelid = 'public.error_logs'::regclass and contype = 'f'") == 0
    status, _, err = await run_command(database.url, "constrain", "--reference", AUDIT)

    assert (status, "is the audit" in err) == (39, True), err


@pytest.mark.parametrize(
    "command",
    [
        ["migrate"],
        ["repair", "--apply", "--reference", "orders.user_id=profiles.id"],
        ["pause", "--reason", "x"],
        ["detach", "--all"],
    ],
    ids=lambda command: command[0],
)
async def test_server_that_takes_no_writes_is_called_so(database: Database, connection: Connection, command: list[str]) -> None:
    """It is there, and answers: the primary is what is needed."""
    await connection.execute("alter table public.orders drop constraint fk_orders_user_id")
    await connection.execute("insert into public.orders (user_id, amount) values (md5('x')::uuid, 1)")
    if command == ["migrate"]:
        await connection.execute("drop schema pgmend cascade")
    await connection.execute(f"alter database {database.name} set default_transaction_read_only = on")

    status, _, err = await run_command(database.url, *command)

    assert (status, "takes no writes" in err) == (41, True), err
