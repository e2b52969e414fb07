"""Where a repair must not go on, or must take care: triggers, hidden rows, unique keys, tables without a key, cascades."""

import uuid

import pytest

from tests.integration.conftest import LogIn, MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.shop_of_orphans import FAST, PATH, checksums, planned, repaired, restored, settled
from worker.errors import EventsPendingError, RepairRefusedError, TriggerInterferedError
from worker.repair_run import Pacing, RepairRun, begin
from worker.store import migrations, repairs
from worker.store.connection import Connection

ORDERS = "public.orders.user_id=public.profiles.id"
LOST = uuid.uuid5(uuid.NAMESPACE_DNS, "lost")
WHOLE = uuid.uuid5(uuid.NAMESPACE_DNS, "whole")
SHOP = f"""
    delete from pgmend.guarded_constraints;
    alter table public.orders drop constraint fk_orders_user_id;
    create table public.totals (orders int);
    insert into public.totals values (0);
    create table public.lines (order_id uuid references public.orders on delete cascade, at int primary key);
    create table public.gifts (line int references public.lines on delete set null, what text);
    set session_replication_role = replica;
    insert into public.profiles (id, name) values ('{WHOLE}', 'whole');
    set session_replication_role = origin;
    insert into public.orders (user_id, amount) values ('{LOST}', 1), ('{LOST}', 2), ('{WHOLE}', 3);
    insert into public.lines select id, amount from public.orders;
    insert into public.gifts select at, 'ribbon' from public.lines
"""
TRIGGER = """
    create function public.meddle() returns trigger language plpgsql as $$ begin {body}; end $$;
    create trigger meddle before {event} on public.orders for each row execute function public.meddle()
"""


@pytest.fixture
async def shop(connection: Connection) -> Connection:
    """Orders of nobody, with lines by a key that cascades, and gifts by one that sets null."""
    await connection.execute(SHOP)
    return connection


async def test_orphan_goes_with_all_that_refers_to_it_and_no_key_acts(database: Database, shop: Connection) -> None:
    """Lines and gifts lie in the quarantine beside their order, whole; other lines and gifts are as they were."""
    session, tables = await settled(database), ["public.orders", "public.lines", "public.gifts"]
    before = await checksums(shop, tables)

    repair_id, _ = await repaired(session, await planned(session, ORDERS), audit="row")

    held = await shop.fetch("select table_name, depth, count(*) from pgmend.quarantine group by 1, 2 order by 2")
    assert [tuple(row) for row in held] == [("public.orders", 0, 2), ("public.lines", 1, 2), ("public.gifts", 2, 2)]
    assert [await count(shop, table) for table in tables] == [1, 1, 1]
    assert await count(shop, "public.gifts where line is null") == 0
    assert await count(shop, "public.error_logs where error_type = 'REFERENCING_ROW_QUARANTINED'") == 4
    assert await restored(session, repair_id) == (6, 0)
    assert await checksums(shop, tables) == before


@pytest.mark.parametrize(
    "body",
    [
        "update public.totals set orders = orders + 1; return old",
        "delete from public.totals; return old",
        "return null",
    ],
    ids=["changes", "deletes", "keeps"],
)
async def test_trigger_that_does_more_or_less_than_was_written_down_stops_the_run(
    database: Database, shop: Connection, body: str
) -> None:
    """Nothing of the batch has happened; once the trigger is disabled the run goes on."""
    await shop.execute(TRIGGER.format(body=body, event="delete"))
    session = await settled(database)
    plan = await planned(session, ORDERS)

    with pytest.raises(TriggerInterferedError, match="deleted"):
        await repaired(session, plan)

    assert await count(shop, "public.orders") == 3
    assert await count(shop, "pgmend.quarantine") == 0
    await shop.execute("alter table public.orders disable trigger meddle")
    (run,) = await repairs.unfinished(session)
    await RepairRun(session, run.repair_id, PATH, FAST, lambda _: None).run()
    assert await count(shop, "public.orders") == 1


async def test_trigger_that_changes_what_is_restored_keeps_the_row_in_the_quarantine(
    database: Database, shop: Connection
) -> None:
    """A row comes back as it was, or not at all."""
    session = await settled(database)
    repair_id, _ = await repaired(session, await planned(session, ORDERS))
    await shop.execute(TRIGGER.format(body="new.amount = 7; return new", event="insert"))

    assert (await restored(session, repair_id))[1] == 6
    assert await count(shop, "public.orders where amount = 7") == 0
    assert await count(shop, "pgmend.quarantine where refusal ->> 'sqlstate' = 'PM033'") == 2


async def test_row_whose_place_is_taken_is_refused_and_the_others_come_back(database: Database, shop: Connection) -> None:
    """With table, key and reason; when the place is free again, so does this one, and all that waited for it."""
    session = await settled(database)
    repair_id, _ = await repaired(session, await planned(session, ORDERS))
    taken = await shop.fetchval("select row_image ->> 'id' from pgmend.quarantine where row_image ->> 'amount' = '1.00'")
    await shop.execute("insert into public.orders (id, user_id, amount) values ($1, $2, 9)", taken, WHOLE)
    await shop.execute("insert into public.lines values ($1, 1)", taken)

    assert await restored(session, repair_id) == (4, 2)
    refusal = await shop.fetch(
        "select table_name, refusal ->> 'constraint' from pgmend.quarantine where refusal is not null order by 1"
    )
    assert [tuple(row) for row in refusal] == [("public.lines", "lines_pkey"), ("public.orders", "orders_pkey")]
    await shop.execute("delete from public.orders where id = $1", taken)
    assert await restored(session, repair_id) == (2, 0)


async def test_orphan_does_not_come_back_under_a_key_that_forbids_it(database: Database, shop: Connection) -> None:
    """Named with its constraint; it stays in the quarantine."""
    session = await settled(database)
    repair_id, _ = await repaired(session, await planned(session, ORDERS))
    await shop.execute(
        "alter table public.orders add constraint orders_user_fkey foreign key (user_id) references public.profiles (id)"
    )

    assert await restored(session, repair_id) == (0, 6)
    assert await count(shop, "pgmend.quarantine where refusal ->> 'constraint' = 'orders_user_fkey'") == 2


@pytest.mark.parametrize(
    ("change", "sqlstate"),
    [("alter table public.orders drop column amount", "PM002"), ("drop table public.orders cascade", "42P01")],
)
async def test_row_whose_table_is_another_now_is_refused(
    database: Database, shop: Connection, change: str, sqlstate: str
) -> None:
    """A column or a table that is gone is a reason, not an accident."""
    session = await settled(database)
    repair_id, _ = await repaired(session, await planned(session, ORDERS))
    await shop.execute(change)

    await restored(session, repair_id)

    assert (
        await count(shop, "pgmend.quarantine where table_name = 'public.orders' and refusal ->> 'sqlstate' = $1", sqlstate) == 2
    )


async def test_restore_by_key_or_table_brings_that_and_no_more(database: Database, shop: Connection) -> None:
    """The gifts stay until somebody asks for them."""
    session = await settled(database)
    repair_id, _ = await repaired(session, await planned(session, ORDERS))
    assert await count(shop, "public.orders") == 1

    assert await restored(session, repair_id, key="nobody") == (0, 0)
    assert await restored(session, repair_id, table="public.orders") == (2, 0)
    assert await restored(session, repair_id, key=str(LOST)) == (4, 0)


async def test_row_that_the_applications_own_rules_refuse_stays_and_the_others_go(database: Database, shop: Connection) -> None:
    """One order a customer: the first can be given to somebody, the second cannot; it is counted, with the reason."""
    await shop.execute("delete from public.orders where user_id = $1; ".replace("$1", f"'{WHOLE}'"))
    await shop.execute("create unique index one_order on public.orders (user_id) where user_id = '" + str(WHOLE) + "'")
    session = await settled(database)

    _, (step,) = await repaired(session, await planned(session, ORDERS, strategies=[f"orders.user_id:unknown=reassign:{WHOLE}"]))

    assert (step.rows_done, step.rows_refused) == (1, 1)
    assert step.refusal is not None
    assert "one_order" in step.refusal


async def test_column_that_is_referred_to_is_not_changed(database: Database, shop: Connection) -> None:
    """Its own referencing rows would follow, or be refused: the plan says which key."""
    await shop.execute("alter table public.orders add unique (id, user_id)")
    await shop.execute("create table public.bills (o uuid, u uuid, foreign key (o, u) references public.orders (id, user_id))")
    session = await settled(database)

    with pytest.raises(RepairRefusedError, match="bills_o_u_fkey"):
        await planned(session, ORDERS, strategies=[f"orders.user_id:unknown=reassign:{WHOLE}"])


async def test_rows_that_row_level_security_hides_stop_the_plan(
    database: Database, shop: Connection, make_role: MakeRole, log_in: LogIn
) -> None:
    """Also where only a table that refers to the orphans is forced: what cannot be seen could not be written down."""
    await make_role("operator", "login")
    await shop.execute(
        """
        grant usage on schema pgmend to operator; grant execute on all functions in schema pgmend to operator;
        grant all on all tables in schema pgmend, public to operator; grant all on all sequences in schema pgmend to operator;
        alter table public.gifts enable row level security; alter table public.gifts force row level security
        """
    )
    session = await log_in("operator")
    await repairs.settle_session(session, lock_timeout=0.5)

    with pytest.raises(RepairRefusedError, match=r"public\.gifts"):
        await planned(session, ORDERS)
    assert (await planned(await settled(database), ORDERS)).acting


async def test_orphan_of_a_reason_that_the_plan_did_not_find_is_left_alone(database: Database, shop: Connection) -> None:
    """Where all were of one reason the search asks none; each is judged under its lock, and a second pass asks."""
    session = await settled(database)
    repair_id = await begin(session, await planned(session, ORDERS), audit="batch", search_path=PATH)
    healable = await sign_up(shop)
    await shop.execute("set session_replication_role = replica")
    await shop.execute("insert into public.orders (user_id, amount) values ($1, 4)", healable)

    (step,) = await RepairRun(session, repair_id, PATH, FAST, lambda _: None).run()

    assert (step.state, step.rows_done) == ("done", 2)
    assert await shop.fetchval("select passes from pgmend.repair_steps") == 2
    assert await count(shop, "public.orders where user_id = $1", healable) == 1


async def test_orphans_of_a_table_that_inherits_are_taken_where_they_are(database: Database, shop: Connection) -> None:
    """The same place in two tables is two places."""
    await shop.execute("create table public.old_orders () inherits (public.orders)")
    await shop.execute("insert into public.old_orders (user_id, amount) select $1, n from generate_series(7, 9) as n", LOST)
    session = await settled(database)
    before = await checksums(shop, ["only public.orders", "public.old_orders"])

    repair_id, (step,) = await repaired(session, await planned(session, ORDERS))

    assert step.rows_done == 5
    assert [tuple(row) for row in await shop.fetch("select user_id, amount from public.orders")] == [(WHOLE, 3)]
    assert (await restored(session, repair_id))[1] == 0
    assert await checksums(shop, ["only public.orders", "public.old_orders"]) == before


async def test_cycle_larger_than_the_budget_goes_as_a_whole(database: Database, shop: Connection) -> None:
    """It has no leaf to begin with."""
    await shop.execute("create table public.links (id int primary key, user_id uuid, next_id int)")
    await shop.execute("insert into public.links values (1, $1, 2), (2, null, 1), (3, null, 1), (4, null, 1)", LOST)
    await shop.execute("alter table public.links add foreign key (next_id) references public.links")
    session, reference = await settled(database), "public.links.user_id=public.profiles.id"

    plan = await planned(session, reference, only=["links.user_id"])
    _, (step,) = await repaired(session, plan, pacing=Pacing(pause=0, budget=1))

    assert (step.rows_done, step.rows_along) == (1, 3)
    assert await count(shop, "public.links") == 0


async def test_twins_without_a_key_are_told_apart(database: Database, shop: Connection) -> None:
    """Rows that read the same are as many before as after, whether taken away or changed."""
    await shop.execute("create table public.visits (user_id uuid, note text)")
    await shop.execute("insert into public.visits select $1, 'same' from generate_series(1, 3)", LOST)
    session, reference = await settled(database), "public.visits.user_id=public.profiles.id"
    before = await checksums(shop, ["public.visits"])
    for strategy in ("quarantine", f"reassign:{WHOLE}"):
        strategies = [f"visits.user_id:unknown={strategy}"]
        repair_id, _ = await repaired(session, await planned(session, reference, strategies=strategies, only=["visits.user_id"]))

        assert await restored(session, repair_id) == (3, 0)
        assert await checksums(shop, ["public.visits"]) == before


async def test_uninstall_refuses_to_drop_quarantined_rows(database: Database, shop: Connection) -> None:
    """What a repair took away is lost only when that is asked for."""
    session = await settled(database)
    repair_id, _ = await repaired(session, await planned(session, ORDERS))

    with pytest.raises(EventsPendingError, match=r"6 quarantined rows.*set pgmend\.discard_events = 'yes'.* --discard-events"):
        await migrations.uninstall(shop, discard_events=False)
    await restored(session, repair_id)
    await migrations.uninstall(shop, discard_events=False)

    assert await count(shop, "public.orders") == 3
