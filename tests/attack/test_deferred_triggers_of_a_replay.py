"""Nothing that a replay has begun is left to run after it, with the rights of somebody else."""

from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters, released
from tests.support.workload import park
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

CHAIN = """
    create table shop_writer.a (n int); create table shop_writer.b (n int);
    create function shop_writer.first() returns trigger language plpgsql as
    $$ begin insert into shop_writer.a values (1); return null; end $$;
    create function shop_writer.second() returns trigger language plpgsql as
    $$ begin set constraints all deferred; insert into shop_writer.b values (1); return null; end $$;
    create function shop_writer.third() returns trigger language plpgsql as
    $$ begin insert into public.ran values (current_user); return null; end $$;
    create trigger first after insert on public.leads for each row execute function shop_writer.first();
    create constraint trigger second after insert on shop_writer.a deferrable initially deferred
    for each row execute function shop_writer.second();
    create constraint trigger third after insert on shop_writer.b deferrable initially deferred
    for each row execute function shop_writer.third();
    grant usage on schema shop_writer to public
"""


async def test_trigger_that_a_replay_defers_anew_runs_with_no_other_rights(
    connection: Connection, writer: Connection, path: Path
) -> None:
    """What a trigger queues while the deferred ones are run runs within the replay too, on servers of every age."""
    await connection.execute("create schema shop_writer authorization shop_writer; create table public.ran (who name)")
    await connection.execute("alter table public.leads owner to shop_writer; grant insert on public.ran to public")
    await writer.execute(CHAIN)
    assert await park(writer, "public.leads", {"user_id": await sign_up(connection), "source": "web"}) == "parked"

    await pipeline.turn(path)

    assert await connection.fetchval("select array_agg(who::text) from public.ran") in (None, ["shop_writer"])
    assert await dead_letters(connection) in ([], [("refused", "PM009")])


async def test_key_that_a_replay_defers_anew_fails_that_replay_and_no_other(
    connection: Connection, writer: Connection, path: Path
) -> None:
    """A violation that would wait for the commit of the whole batch is found while its event can still be told apart."""
    await connection.execute("create schema shop_writer authorization shop_writer; create table public.ran (who name)")
    await connection.execute("alter table public.leads owner to shop_writer")
    await writer.execute(CHAIN)
    await writer.execute(
        "alter table shop_writer.a add primary key (n); alter table shop_writer.b add foreign key (n) references shop_writer.a"
        " deferrable initially deferred; create or replace function shop_writer.second() returns trigger language plpgsql as"
        " $$ begin set constraints all deferred; insert into shop_writer.b values (2); return null; end $$"
    )
    key = await sign_up(connection)
    assert await park(writer, "public.leads", {"user_id": key, "source": "web"}) == "parked"
    await park(connection, "public.orders", {"user_id": key, "amount": 1})

    await pipeline.turn(path)

    assert await count(connection, "public.orders") == 1
    assert await dead_letters(connection) != [] or await released(connection) != []
