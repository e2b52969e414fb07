"""Units of work of the SQLAlchemy ORM under each mode of a guard."""

import asyncio
import uuid
from decimal import Decimal

import pytest
from sqlalchemy.orm.exc import StaleDataError

from tests.clients.application import MODES, SHOP, Stage
from tests.clients.conftest import SetStage
from tests.clients.with_sqlalchemy import Order, Profile, order_of, session_at
from tests.support.database import count


@pytest.fixture(params=MODES)
async def stage(request: pytest.FixtureRequest, stage_for: SetStage) -> Stage:
    """The sample shop, with the orders' key in each mode."""
    stage = await stage_for(SHOP)
    await stage.guard(request.param)
    await stage.connection.execute("grant select, insert on public.profiles to client_writer")
    return stage


async def test_unit_of_work_that_brings_the_profile_is_left_alone(stage: Stage) -> None:
    """The ORM inserts by the order of the keys: the profile is the application's, and the orders refer to it."""
    key = await stage.user("missing")

    def work() -> None:
        with session_at(stage.url) as session:
            orders = [Order(amount=Decimal(amount)) for amount in (1, 2)]
            session.add(Profile(id=uuid.UUID(key), name="by myself", orders=orders))
            session.commit()

    await asyncio.to_thread(work)

    assert (
        await count(stage.connection, "public.orders join public.profiles on user_id = profiles.id where name = 'by myself'") == 2
    )
    assert await count(stage.connection, "public.error_logs") == 0


async def test_row_that_was_inserted_is_found_by_the_update_that_follows(stage: Stage) -> None:
    """The ORM counts the rows of its updates, and the one that it has just inserted is there."""
    key = await stage.user("there")

    def work() -> None:
        with session_at(stage.url) as session:
            order = order_of(key)
            session.add(order)
            session.flush()
            order.amount = Decimal(12)
            session.commit()

    await asyncio.to_thread(work)

    assert await count(stage.connection, "public.orders where amount = 12") == 1


async def test_healed_order_is_updated_and_reaches_its_profile(stage_for: SetStage) -> None:
    """Under ensure the order of somebody without profile is a row like any other: updated at once, and related."""
    stage = await stage_for(SHOP)
    await stage.guard("ensure")
    await stage.connection.execute("grant select on public.profiles to client_writer")
    key = await stage.user("missing")

    def work() -> str:
        with session_at(stage.url) as session:
            order = order_of(key)
            session.add(order)
            session.flush()
            order.amount = Decimal(12)
            session.commit()
            return order.profile.name

    assert await asyncio.to_thread(work) == "missing"
    assert await count(stage.connection, "public.orders where amount = 12") == 1


async def test_parked_order_that_is_changed_in_its_session_is_stale(stage_for: SetStage) -> None:
    """The update finds no row, the ORM says so, and its rollback takes the captured row with it."""
    stage = await stage_for(SHOP)
    await stage.guard("park")
    key = await stage.user("missing")

    def work() -> None:
        with session_at(stage.url) as session:
            order = order_of(key, id=uuid.uuid4())
            session.add(order)
            session.flush()
            order.amount = Decimal(12)
            session.commit()

    with pytest.raises(StaleDataError):
        await asyncio.to_thread(work)

    assert await count(stage.connection, "pgmend.outbox where kind = 'insert_failed'") == 0
