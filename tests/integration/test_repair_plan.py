"""The plan of a repair says what would happen before it happens, and refuses what could not come out well."""

import uuid

import pytest

from tests.support.database import Database, count, sign_up
from tests.support.shop_of_orphans import FAST, PATH, planned, repaired, restored, settled
from worker.errors import PeopleUnknownError, RepairBusyError, RepairRefusedError
from worker.repair_run import RepairRun, begin
from worker.store.connection import Connection

LOOSE = """
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.leads drop constraint leads_user_id_fkey;
    alter table public.chat_messages drop constraint chat_messages_sender_id_fkey;
    alter table public.conversations drop constraint conversations_customer_id_fkey, drop constraint conversations_admin_id_fkey;
    delete from pgmend.guarded_constraints;
    insert into public.orders (user_id, amount) values (md5('nobody')::uuid, 1), (md5('no one')::uuid, 1)
"""
ORDERS = "public.orders.user_id=public.profiles.id"
COMMENTS = """
    create table public.comments (id integer primary key, author uuid, answers integer references public.comments (id));
    insert into public.comments values (1, md5('nobody')::uuid, null), (2, null, 1), (3, null, 2), (4, null, null);
    create table public.votes (comment integer references public.comments (id));
    insert into public.votes values (1), (3), (3), (4)
"""
MEMBERS = """
    create table public.members (id uuid primary key);
    create table public.badges (id uuid primary key references public.members (id));
    create table public.perks (badge uuid);
    insert into public.perks values (gen_random_uuid())
"""
PERKS = "public.perks.badge=public.badges.id"


@pytest.fixture
async def session(database: Database, connection: Connection) -> Connection:
    """A shop without a key to its profiles, whose orders are two orphans."""
    await connection.execute(LOOSE)
    return await settled(database)


async def test_nothing_is_planned_where_nobody_says_who_exists(session: Connection, connection: Connection) -> None:
    """Without a source the orders of a user who lives could not be told from those of nobody."""
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 1)", await sign_up(connection))
    await connection.execute("select pgmend.detach_source(1, discard_events => true)")

    with pytest.raises(PeopleUnknownError, match="rows of users who exist could not be told from others -> attach"):
        await planned(session, ORDERS)


async def test_columns_that_should_refer_are_shown_where_no_key_stands_at_all(session: Connection) -> None:
    """The key could not be added: that is where a repair begins."""
    plan = await planned(session)

    shown = {step.where.reference.name: (step.rows, step.strategy) for step in plan.steps}
    assert shown == {ORDERS: (2, None)}
    assert "--reference" in plan.steps[0].why


async def test_orphan_of_a_table_like_profiles_that_no_source_knows_is_left_alone(
    session: Connection, connection: Connection
) -> None:
    """Its own key refers to somebody: who of them exists nobody says, until a strategy is named for that reason."""
    await connection.execute(MEMBERS)

    (left,) = [step for step in (await planned(session, PERKS, only=[PERKS])).steps if step.rows]
    (named,) = (await planned(session, PERKS, only=[PERKS], strategies=["perks.badge:unknown=quarantine"])).acting

    assert (left.strategy, "public.badges refers to public.members" in left.why) == (None, True), left.why
    assert named.strategy == "quarantine"


async def test_plan_says_how_many_rows_go_along(session: Connection, connection: Connection) -> None:
    """Answers to an orphan, and votes for them; each once, however many keys lead there, and nothing of it is locked or kept."""
    await connection.execute(COMMENTS)
    comments = "public.comments.author=public.profiles.id"
    plan = await planned(session, comments, only=[comments])

    assert [step.along for step in plan.acting] == [{"public.comments": 2, "public.votes": 3}]
    assert await session.fetchval("select to_regclass('pg_temp.pgmend_places') is null")

    _, (step,) = await repaired(session, plan)

    assert (step.rows_done, step.rows_along) == (1, 5)


@pytest.mark.parametrize(
    ("strategy", "keys", "missing"),
    [
        ("reassign:{nobody}", {}, "has no {nobody}"),
        ("reassign:the-system-user", {}, "has no the-system-user"),
        ("map:keys.csv", {"a": "{whole}", "b": "{nobody}"}, "has no {nobody}"),
        ("map:keys.csv", {"a": "{whole}", "b": "x", "c": "y", "d": "z", "e": "0"}, "has no 0, x, y and 1 more"),
    ],
    ids=["reassign", "reassign to no key", "map", "map to no keys"],
)
async def test_key_that_is_not_there_is_refused_in_the_plan(
    session: Connection, connection: Connection, strategy: str, keys: dict[str, str], missing: str
) -> None:
    """Nobody is in the way of it, and no run is begun that could not come to its end."""
    known = {"nobody": str(uuid.uuid4()), "whole": await sign_up(connection)}
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", known["whole"])
    mapping = {old: new.format(**known) for old, new in keys.items()}
    chosen = [f"orders.user_id:unknown={strategy.format(**known)}"]

    with pytest.raises(RepairRefusedError, match=missing.format(**known)):
        await planned(session, ORDERS, strategies=chosen, mappings={"keys.csv": mapping})


async def test_plan_of_a_map_counts_what_the_file_names(session: Connection, connection: Connection) -> None:
    """And says of the others that they stay."""
    user = await sign_up(connection)
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", user)
    mapping = {str(await connection.fetchval("select md5('nobody')::uuid")): user}
    strategies = ["orders.user_id:unknown=map:keys.csv"]

    plan = await planned(session, ORDERS, strategies=strategies, mappings={"keys.csv": mapping})
    _, (step,) = await repaired(session, plan)

    assert [(it.rows, it.strategy, it.why) for it in plan.steps] == [(1, "map", ""), (1, None, "not in keys.csv")]
    assert (step.rows_done, await count(connection, "public.orders where user_id = $1", user)) == (1, 1)


async def test_run_that_is_not_finished_is_not_restored(session: Connection) -> None:
    """Going on with it would take what was brought back for done."""
    repair_id = await begin(session, await planned(session, ORDERS), audit="batch", search_path=PATH)

    with pytest.raises(RepairBusyError, match="is not finished -> pgmend repair --resume"):
        await restored(session, repair_id)

    await RepairRun(session, repair_id, PATH, FAST, lambda _: None).run()
    assert await restored(session, repair_id) == (2, 0)
