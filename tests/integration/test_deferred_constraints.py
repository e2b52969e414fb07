"""Deferred constraints: they are checked with each event, and deferred again for the next."""

import json

import pytest

from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

LINES_BEFORE_ORDERS = """
    create table public.lines (
        id uuid primary key, constraint line_of_an_order foreign key (id) references public.orders deferrable initially deferred
    );
    create function public.place(image jsonb) returns void language plpgsql as $$
    begin
        insert into public.lines values ((image ->> 'id')::uuid);
        insert into public.orders select * from jsonb_populate_record(null::public.orders, image || '{"created_at": "now"}');
    end $$;
    select pgmend.guard('public.orders', 'fk_orders_user_id', replay_function => 'public.place(jsonb)')
"""
BADGE_BEFORE_PROFILE = """
    create table public.badges (
        id uuid primary key,
        constraint badge_of_a_profile foreign key (id) references public.profiles deferrable initially deferred
    );
    create function public.pin() returns trigger language plpgsql as $$
    begin
        new.name := left(new.name, 120);
        insert into public.badges values (new.id);
        return new;
    end $$;
    create trigger pin before insert on public.profiles for each row execute function public.pin()
"""


async def test_replay_may_write_the_child_before_its_parent_each_time(connection: Connection, path: Path) -> None:
    """Of two captured orders in one batch, the second is replayed under the same rules as the first."""
    await connection.execute(LINES_BEFORE_ORDERS)
    for number in (1, 2):
        row = {"id": f"{number:08}-0000-0000-0000-000000000000", "user_id": await sign_up(connection), "amount": 1}
        await connection.execute("select pgmend.insert_or_park('public.orders', $1)", json.dumps(row))

    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, "public.orders join public.lines using (id)") == 2


@pytest.mark.parametrize("name", ["Ada", "x" * 121])
async def test_profile_may_come_after_what_refers_to_it_each_time(connection: Connection, path: Path, name: str) -> None:
    """Healed in a batch or one by one, each profile may be preceded by a row that refers to it."""
    await connection.execute(BADGE_BEFORE_PROFILE)
    for _ in range(3):
        await sign_up(connection, name=name)

    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, "public.profiles join public.badges using (id)") == 3


async def test_one_profile_that_is_refused_leaves_the_deferred_keys_of_the_others_deferred(connection: Connection) -> None:
    """A batch is split around the one; a row that comes before the profile it refers to is right in every piece."""
    await connection.execute(
        """
        create table public.badges (
            id uuid constraint badge_of_a_profile references public.profiles (id) deferrable initially deferred
        );
        create function public.pin() returns trigger language plpgsql as $$
        begin
            insert into public.badges values (new.id);
            if new.name = 'u20' then raise 'refused' using errcode = 'P0042'; end if;
            return new;
        end $$;
        create trigger pin before insert on public.profiles for each row execute function public.pin();
        insert into public.users (email) select 'u' || n from generate_series(1, 40) as n
        """
    )

    outcomes = await connection.fetch(
        "select outcome, count(*) from pgmend.heal_users(1, array(select id::text from public.users)) group by 1 order by 1"
    )

    assert [tuple(row) for row in outcomes] == [("failed", 1), ("healed", 39)]
