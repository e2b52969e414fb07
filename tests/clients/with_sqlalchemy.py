"""The SQLAlchemy ORM on psycopg: units of work over the sample shop."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sqlalchemy import FetchedValue, ForeignKey, bindparam, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import NullPool

from tests.clients.client import Client, receipt


class Table(DeclarativeBase):
    """The tables of the sample shop."""


class Profile(Table):
    """A profile, with the orders that refer to it."""

    __tablename__ = "profiles"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="profile")


class Order(Table):
    """An order, whose id the database makes."""

    __tablename__ = "orders"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=FetchedValue())
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("profiles.id"))
    amount: Mapped[Decimal]
    profile: Mapped[Profile] = relationship(back_populates="orders")


@contextmanager
def session_at(url: str) -> Iterator[Session]:
    """A session on a connection of its own."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with Session(engine) as session:
        yield session


def order_of(key: str, **columns: object) -> Order:
    """Return an order that is in no session yet."""
    return Order(user_id=uuid.UUID(key), amount=Decimal("9.90"), **columns)


def _add(url: str, key: str) -> str:
    with session_at(url) as session:
        order = order_of(key)
        session.add(order)
        session.commit()
        seen: object = order.id
        return "no id" if seen is None else "the id"


def _add_with_id(url: str, key: str) -> str:
    with session_at(url) as session:
        order = order_of(key, id=uuid.uuid4())
        session.add(order)
        session.commit()
        return "nothing raised"


def _add_all(url: str, key: str) -> str:
    with session_at(url) as session:
        orders = [order_of(key), order_of(key)]
        session.add_all(orders)
        session.commit()
        return f"{len({order.id for order in orders})} ids"


def _insert_or_park(url: str, row: dict[str, object]) -> str:
    with session_at(url) as session:
        seen = session.scalar(select(func.pgmend.insert_or_park("public.orders", bindparam("row", row, JSONB), type_=JSONB)))
        session.commit()
        assert seen is not None
        return receipt(seen, seen["status"])


def _report(url: str, row: dict[str, object]) -> str:
    with session_at(url) as session:
        session.add(order_of(str(row["user_id"])))
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
        seen = session.scalar(
            text("select pgmend.report_failed_insert('public.orders', :row)").bindparams(bindparam("row", row, JSONB))
        )
        session.commit()
        return receipt(seen)


SQLALCHEMY = Client(
    name="SQLAlchemy ORM",
    calls={
        "`add`, `commit`": lambda url, key: asyncio.to_thread(_add, url, key),
        "`add` with an id of one's own, `commit`": lambda url, key: asyncio.to_thread(_add_with_id, url, key),
        "`add_all`, `commit`": lambda url, key: asyncio.to_thread(_add_all, url, key),
    },
    insert_or_park=lambda url, row: asyncio.to_thread(_insert_or_park, url, row),
    report_failed_insert=lambda url, row: asyncio.to_thread(_report, url, row),
    errors=(SQLAlchemyError,),
)
