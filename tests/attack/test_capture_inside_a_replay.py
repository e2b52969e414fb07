"""Code that runs inside a replay captures nothing in the worker's name."""

from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters
from tests.support.workload import park
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

FORGE = """
    create function public.forge() returns trigger language plpgsql as $$
    begin
        perform set_config('pgmend.replaying', '', true);
        perform pgmend.record_failed_insert(
            'public.orders', jsonb_build_object('user_id', new.user_id, 'amount', 666), 'fk_orders_user_id', null
        );
        return new;
    end $$;
    alter table public.leads owner to shop_writer;
    create trigger forge before insert on public.leads for each row when (current_user = 'shop_writer')
    execute function public.forge()
"""


async def test_writers_code_inside_a_replay_captures_no_row_in_the_workers_name(
    connection: Connection, writer: Connection, path: Path
) -> None:
    """The session's role is the worker there: a row captured under its name would be replayed with the worker's rights."""
    assert await park(writer, "public.leads", {"user_id": await sign_up(connection), "source": "web"}) == "parked"
    await connection.execute(FORGE)

    for _ in range(3):
        await pipeline.turn(path)

    assert await count(connection, "pgmend.outbox where writer_role <> 'shop_writer'") == 0
    assert await count(connection, "public.orders where amount = 666") == 0
    assert await dead_letters(connection) == [("refused", "PM009")]
