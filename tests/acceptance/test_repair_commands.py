"""``pgmend repair`` and ``pgmend restore`` as a person runs them."""

import json
import uuid

import pytest

from tests.support.database import Database, count
from tests.support.process import run_command
from worker.core.orphans import REASONS
from worker.core.strategy import STRATEGIES, WITH_ARGUMENT
from worker.store.connection import Connection

LOST = uuid.uuid5(uuid.NAMESPACE_DNS, "lost")
ORDERS = ("--reference", "orders.user_id=profiles.id", "--only", "orders.user_id")


@pytest.fixture
async def shop(connection: Connection) -> Connection:
    """Three orders of nobody, and no key."""
    await connection.execute(
        "delete from pgmend.guarded_constraints; alter table public.orders drop constraint fk_orders_user_id"
    )
    await connection.execute("insert into public.orders (user_id, amount) select $1, n from generate_series(1, 3) as n", LOST)
    return connection


async def test_plan_is_printed_and_nothing_is_changed(database: Database, shop: Connection) -> None:
    """Rows, keys, strategy and locks, and how to go on."""
    status, out, err = await run_command(database.url, "repair", *ORDERS)

    assert (status, err) == (0, "")
    assert "3 rows          1 key   unknown       quarantine: move the rows" in out
    assert "locks: each batch" in out
    assert out.endswith("nothing was changed; pgmend repair --apply does it\n")
    assert await count(shop, "public.orders") == 3


async def test_repair_and_restore_say_what_they_did(database: Database, shop: Connection) -> None:
    """In a pipe: plain lines; then all is as it was."""
    status, out, err = await run_command(database.url, "repair", "--apply", *ORDERS)
    assert (status, err) == (0, "")
    assert "unknown  quarantine: 3 of 3 rows" in out
    assert "repair 1 is finished; pgmend restore 1 brings the rows back" in out
    assert await count(shop, "public.orders") == 0

    status, out, _ = await run_command(database.url, "restore", "1")

    assert (status, out) == (0, "3 rows restored, 0 left in the quarantine\n")
    assert await count(shop, "public.orders") == 3


async def test_machine_reads_json(database: Database, shop: Connection) -> None:
    """The plan, the run and the restore are one object each."""
    assert await count(shop, "public.orders") == 3
    _, plan, _ = await run_command(database.url, "repair", "--json", *ORDERS)
    _, run, _ = await run_command(database.url, "repair", "--apply", "--json", *ORDERS)
    _, restore, _ = await run_command(database.url, "restore", "1", "--json", "--table", "orders")

    assert json.loads(plan)["steps"][0]["strategy"] == "quarantine"
    assert json.loads(run)["steps"][0]["rows_done"] == 3
    assert json.loads(restore) == {"restored": 3, "refused": 0, "refusals": []}


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["repair", "--only", "nothing.user_id"], 36, "no reference is called nothing.user_id"),
        (["repair", "--reference", "orders.owner=profiles.id"], 30, "no such column: public.orders.owner=public.profiles.id"),
        (["repair", *ORDERS, "--strategy", "orders.user_id:unknown=nullify"], 36, "not nullable"),
        (["restore", "7"], 30, "there is no repair 7"),
        (["restore", "7", "--table", "nowhere"], 30, "there is no repair 7"),
        (["repair", "--strategy", "orders.user_id=delete"], 2, "REFERENCE:REASON=STRATEGY"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    database: Database, shop: Connection, command: list[str], status: int, said: str
) -> None:
    """With its exit status, and nothing changed."""
    found, _, err = await run_command(database.url, *command)

    assert (found, said in err) == (status, True), err
    assert await count(shop, "public.orders") == 3


async def test_unknown_name_is_answered_with_those_that_there_are(database: Database, shop: Connection) -> None:
    """Also where --only names nothing: what it has left out is what the person is looking for."""
    assert await count(shop, "public.orders") == 3

    _, _, err = await run_command(database.url, "repair", "--only", "nope.col=profiles.id")

    assert "no reference is called nope.col=profiles.id: there are " in err
    assert "orders.user_id=" in err


@pytest.mark.parametrize("words", [("--key", "x"), ("--table", "public.profiles")])
async def test_restore_of_what_was_never_taken_says_so(database: Database, shop: Connection, words: tuple[str, ...]) -> None:
    """A mistyped key is no success; one that was restored before is."""
    await run_command(database.url, "repair", "--apply", *ORDERS)
    key = await shop.fetchval("select min(old_key) from pgmend.quarantine")

    refused, _, err = await run_command(database.url, "restore", "1", *words)
    first = await run_command(database.url, "restore", "1", "--key", key)
    again = await run_command(database.url, "restore", "1", "--key", key)

    nowhere, _, said = await run_command(database.url, "restore", "1", "--table", "nowhere")

    assert (nowhere, "there is no table nowhere" in said) == (30, True)
    assert (refused, f"repair 1 has taken no row of {words[0][2:]} {words[1]}" in err) == (36, True)
    assert (first[0], again[:2]) == (0, (0, "0 rows restored, 0 left in the quarantine\n"))


async def test_refused_orphans_exit_33(database: Database, shop: Connection) -> None:
    """A trigger of the application's that raises keeps its rows; the command says how many, and why."""
    await shop.execute(
        "create function public.no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$; "
        "create trigger no before delete on public.orders for each row execute function public.no()"
    )
    status, _, err = await run_command(database.url, "repair", "--apply", *ORDERS)

    assert status == 33
    assert "3 orphans could not be repaired" in err


async def test_interfering_trigger_exits_35_and_an_abandoned_run_is_not_resumed(database: Database, shop: Connection) -> None:
    """The run waits for --resume, or is let be."""
    await shop.execute(
        "create function public.no() returns trigger language plpgsql as $$ begin return null; end $$; "
        "create trigger no before delete on public.orders for each row execute function public.no()"
    )
    for action in ("--apply", "--resume"):
        assert (await run_command(database.url, "repair", action, *ORDERS))[0] == 35
    assert "repair 1 is abandoned" in (await run_command(database.url, "repair", "--abandon"))[1]

    for action in ("--resume", "--abandon"):
        assert (await run_command(database.url, "repair", action))[:2] == (0, "nothing to do: no repair was interrupted\n")


async def test_refused_restore_exits_37_with_the_row(database: Database, shop: Connection) -> None:
    """Table, key and constraint stand in the one line."""
    await run_command(database.url, "repair", "--apply", *ORDERS)
    await shop.execute(
        "alter table public.orders add constraint orders_user_fkey foreign key (user_id) references public.profiles (id)"
    )

    status, out, err = await run_command(database.url, "restore", "1")

    assert status == 37
    assert out.startswith("0 rows restored, 3 left in the quarantine\nrefused: public.orders ")
    assert "orders_user_fkey" in err


async def test_refused_restore_says_how_many_more_there_are_than_it_names(database: Database, shop: Connection) -> None:
    """Twenty are named, and the rest is counted."""
    await shop.execute("insert into public.orders (user_id, amount) select $1, n from generate_series(1, 22) as n", LOST)
    await run_command(database.url, "repair", "--apply", *ORDERS)
    await shop.execute(
        "alter table public.orders add constraint orders_user_fkey foreign key (user_id) references public.profiles (id)"
    )

    _, out, err = await run_command(database.url, "restore", "1")

    assert [line.split()[0] for line in out.splitlines()[1:]] == ["refused:"] * 20 + ["and"]
    assert out.endswith("\nand 5 more rows refused\n")
    assert "25 rows stay in the quarantine" in err


async def test_one_row_is_no_plural(database: Database, shop: Connection) -> None:
    """In the plan, while it runs, at its end and in the restore."""
    await shop.execute("delete from public.orders where amount > 1")
    _, plan, _ = await run_command(database.url, "repair", *ORDERS)
    _, run, _ = await run_command(database.url, "repair", "--apply", *ORDERS)
    await shop.execute("alter table public.orders add constraint orders_are_none check (amount > 1)")
    _, _, refused = await run_command(database.url, "restore", "1")
    await shop.execute("alter table public.orders drop constraint orders_are_none")
    _, restored, _ = await run_command(database.url, "restore", "1")

    assert "1 row           1 key   unknown" in plan
    assert "unknown  quarantine: 1 of 1 row," in run
    assert "unknown  quarantine: 1 row\n" in run
    assert "1 row stays in the quarantine" in refused
    assert restored == "1 row restored, 0 left in the quarantine\n"


async def test_help_of_repair_lists_reasons_strategies_and_the_form_of_a_map() -> None:
    """What --strategy takes has to be looked up nowhere else."""
    _, out, _ = await run_command("", "repair", "--help")

    assert all(f" {word}" in out for word in (*REASONS, *STRATEGIES))
    assert all(f" {word}:" in out for word in WITH_ARGUMENT)
    assert "old,new" in out
