"""Transactions of the Django ORM, whose keys are looked at when they commit."""

import pytest
from django.db import connection, transaction

from tests.clients.application import Stage
from tests.clients.conftest import SetStage
from tests.clients.with_django import DJANGO, Profile, order_of, with_django
from tests.support.database import count

PROFILES = "public.shop_profile"


@pytest.fixture
async def stage(stage_for: SetStage) -> Stage:
    """Django's tables, with the deferred key of the orders in the mode ensure."""
    stage = await stage_for(DJANGO.application)
    await stage.guard("ensure")
    return stage


async def test_profile_that_the_block_brings_after_the_order_is_left_alone(stage: Stage) -> None:
    """The guard waits until the commit, as the key does."""
    key = await stage.user("missing")

    def work() -> None:
        with transaction.atomic():
            order_of(key).save()
            Profile.objects.create(account_id=key, name="by myself")

    await with_django(stage.database.url, work)

    assert await stage.connection.fetchval(f"select name from {PROFILES}") == "by myself"
    assert await count(stage.connection, "public.error_logs") == 0


async def test_check_of_the_constraints_heals_within_the_block(stage: Stage) -> None:
    """Django's own check, which its test cases make as well, makes keys immediate, and the guard with them."""
    key = await stage.user("missing")

    def work() -> int:
        with transaction.atomic():
            order_of(key).save()
            connection.check_constraints()
            return int(Profile.objects.count())

    await stage.connection.execute(f"grant select on {PROFILES} to client_writer")
    assert await with_django(stage.url, work) == 1
