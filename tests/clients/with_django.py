"""The Django ORM, without a project: its own tables, whose foreign keys are deferrable initially deferred."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import django
from django.conf import settings
from django.db import Error, IntegrityError, connection, connections, models, transaction
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from tests.clients.application import Application
from tests.clients.client import Client, raised, receipt
from tests.support.database import Database

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGGING_CONFIG=None,
    USE_TZ=True,
)
django.setup()

Answer = TypeVar("Answer")


class Account(models.Model):  # type: ignore[misc]
    """A user, with an integer for a key."""

    email = models.TextField()

    class Meta:
        """Where it stands, for there is no project that would say so."""

        app_label = db_table = "shop_account"


class Profile(models.Model):  # type: ignore[misc]
    """A profile, whose key is its account's."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True)
    name = models.TextField()

    class Meta:
        """As above."""

        app_label = "shop_account"
        db_table = "shop_profile"


class Order(models.Model):  # type: ignore[misc]
    """An order of somebody with a profile."""

    profile = models.ForeignKey(Profile, models.CASCADE)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        """As above."""

        app_label = "shop_account"
        db_table = "shop_order"


@contextmanager
def _connected(url: str) -> Iterator[None]:
    there = conninfo_to_dict(url)
    connections.settings["default"] |= {
        "NAME": there["dbname"],
        "USER": there["user"],
        "HOST": there["host"],
        "PORT": there["port"],
    }
    try:
        yield
    finally:
        connection.close()
        del connections["default"]


async def with_django(url: str, work: Callable[[], Answer]) -> Answer:
    """Run ORM code on a connection of its own, away from the loop, which the ORM refuses to run in."""

    def connect_and_work() -> Answer:
        with _connected(url):
            return work()

    return await asyncio.to_thread(connect_and_work)


def _create_tables() -> None:
    with connection.schema_editor() as editor:
        for model in (Account, Profile, Order):
            editor.create_model(model)


async def _prepare(database: Database) -> None:
    await with_django(database.url, _create_tables)
    session = await database.connect()
    await session.execute(
        """
        select pgmend.attach_source(
            'public.shop_account', 'public.shop_profile', '{"name": "users.email"}', profiles_key => 'account_id'
        )
        """
    )


def order_of(key: str) -> Order:
    """Return an order that is not saved yet."""
    return Order(profile_id=key, amount="9.90")


def _save(key: str) -> str:
    order = order_of(key)
    order.save()
    return "the id" if order.pk else "no id"


def _bulk_create(key: str) -> str:
    orders = Order.objects.bulk_create([order_of(key), order_of(key)])
    return f"{len({order.pk for order in orders})} ids"


def _atomic(key: str) -> str:
    order, is_saved = order_of(key), False
    try:
        with transaction.atomic():
            order.save()
            is_saved = True
    except IntegrityError as error:
        return raised(error) + (" at the end of the block" if is_saved else "")
    return "the id" if order.pk else "no id"


def _insert_or_park(row: dict[str, object]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select pgmend.insert_or_park('public.shop_order', %s)", [Jsonb(row)])
        seen = cursor.fetchone()[0]
        return receipt(seen, json.loads(seen)["status"])


def _report(row: dict[str, object]) -> str:
    with suppress(IntegrityError):
        order_of(str(row["profile_id"])).save()
    with connection.cursor() as cursor:
        cursor.execute("select pgmend.report_failed_insert('public.shop_order', %s)", [Jsonb(row)])
        return receipt(cursor.fetchone()[0])


DJANGO = Client(
    name="Django ORM",
    calls={
        "`save`": lambda url, key: with_django(url, lambda: _save(key)),
        "`bulk_create`": lambda url, key: with_django(url, lambda: _bulk_create(key)),
        "`save` in `atomic`": lambda url, key: with_django(url, lambda: _atomic(key)),
    },
    insert_or_park=lambda url, row: with_django(url, lambda: _insert_or_park(row)),
    report_failed_insert=lambda url, row: with_django(url, lambda: _report(row)),
    errors=(Error,),
    application=Application(
        table="public.shop_order",
        row='{"profile_id": %s, "amount": 9.90}',
        sign_up="insert into public.shop_account (email) values ($1) returning id::text",
        unknown_key="424242",
        make_profile="insert into public.shop_profile (account_id, name) values ($1, 'whole')",
        prepare=_prepare,
    ),
)
