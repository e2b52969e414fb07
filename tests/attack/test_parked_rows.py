"""The mode park meets tables that are wide, renamed, or have triggers that sort first."""

import pytest

from tests.support.database import count, sign_up
from tests.support.workload import park
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

PARK = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'park')"
ORDER = "insert into public.orders (user_id, amount) values ($1, 9.90)"
COLUMNS = [f"c{number}" for number in range(60)]
WIDE = f"""
    create table public.wide (
        user_id uuid constraint wide_user_id_fkey references public.profiles (id), {", ".join(f"{name} int" for name in COLUMNS)}
    );
    grant insert on public.wide to shop_writer;
    select pgmend.guard('public.wide', 'wide_user_id_fkey', mode => 'park')
"""
EARLY = """
    create table public.notes (note text); grant insert on public.notes to shop_writer;
    create function public.note() returns trigger language plpgsql as
    $$ begin insert into public.notes values ('seen'); new.amount := new.amount + 1; return new; end $$;
    create trigger "{name}" before insert on public.orders for each row execute function public.note()
"""


async def test_table_of_many_columns_is_captured(connection: Connection, writer: Connection, path: Path) -> None:
    """No function takes more than a hundred arguments, and a table may have more than fifty columns."""
    await connection.execute(WIDE)
    key = await sign_up(connection)

    assert await writer.execute("insert into public.wide (user_id, c59) values ($1, 7)", key) == "INSERT 0 0"
    assert await park(writer, "public.wide", {"user_id": key, **dict.fromkeys(COLUMNS, 7)}) == "parked"
    await pipeline.turn(path)

    assert await count(connection, "public.wide where user_id = $1 and c59 = 7", key) == 2


async def test_renamed_table_is_parked_under_its_new_name(connection: Connection, writer: Connection, path: Path) -> None:
    """A rename breaks no insert, and no other table that takes the old name gets the rows."""
    await connection.execute(PARK + "; alter table public.orders rename to purchases")
    await connection.execute("create table public.orders (like public.purchases)")
    key = await sign_up(connection)

    assert await writer.execute(ORDER.replace("orders", "purchases"), key) == "INSERT 0 0"
    await pipeline.turn(path)

    assert (await count(connection, "public.purchases"), await count(connection, "public.orders")) == (1, 0)


@pytest.mark.parametrize("name", ["01_note", "Audit", "#1"])
async def test_trigger_that_sorts_before_those_of_the_guard_has_its_effect_once(
    connection: Connection, writer: Connection, path: Path, name: str
) -> None:
    """Whatever a BEFORE trigger is called, a row that was parked goes through it once, at the replay."""
    await connection.execute(PARK + ";" + EARLY.format(name=name))
    key = await sign_up(connection)

    await writer.execute(ORDER, key)
    before = await count(connection, "public.notes")
    await pipeline.turn(path)

    assert (before, await count(connection, "public.notes")) == (0, 1)
    assert str(await connection.fetchval("select amount from public.orders")) == "10.90"
