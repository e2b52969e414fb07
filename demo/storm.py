"""The storm: concurrent writers, each with two connections, who live through one customer after another."""

import asyncio
import heapq
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg

from demo.acts import Client, erase, perform, sign_up
from demo.ledger import Ledger
from demo.plan import Act, Customer
from worker.store.connection import Connection, Target, close, connect

WRITERS = 16


@dataclass(slots=True)
class Storm:
    """The plan under way. ``lived`` counts customers whose part is over, ``signed_up`` those whose sign-up was committed."""

    target: Target
    plan: Sequence[Customer]
    ledger: Ledger
    signed_up: int = 0
    lived: int = 0
    seconds: float = 0.0
    _milestones: list[tuple[int, asyncio.Event]] = field(default_factory=list)
    _to_be_erased: list[tuple[int, int, Customer]] = field(default_factory=list)

    async def play(self) -> None:
        """Play the whole plan."""
        self.ledger.expect(self.plan)
        started = time.perf_counter()
        coming = iter(self.plan)
        async with asyncio.TaskGroup() as writers:
            for _ in range(min(WRITERS, len(self.plan))):
                writers.create_task(self._write(coming))
        self.seconds = time.perf_counter() - started

    async def reached(self, share: float) -> None:
        """Wait until that share of the customers has lived."""
        passed = asyncio.Event()
        self._milestones.append((int(len(self.plan) * share), passed))
        self._pass_milestones()
        await passed.wait()

    async def _write(self, coming: Iterator[Customer]) -> None:
        async with AsyncExitStack() as stack:
            here, elsewhere = await connect(self.target), await connect(self.target)
            stack.push_async_callback(close, here)
            stack.push_async_callback(close, elsewhere)
            for customer in coming:
                await self._live(customer, here, elsewhere)
                self.lived += 1
                self._pass_milestones()
                await self._erase_due(here, self.lived)
            await self._erase_due(here, math.inf)

    async def _live(self, customer: Customer, here: Connection, elsewhere: Connection) -> None:
        """Live through one customer: before, during and after the sign-up."""
        client, other = Client(here, customer, self.ledger), Client(elsewhere, customer, self.ledger)
        await _perform_all(other, customer.acts_at("early"))
        if customer.sign_up == "is_abandoned":
            await _abandon(client, other)
        if customer.sign_up != "commits" or not await self._sign_up(client, other):
            return
        await _perform_at_once(client, other)
        if customer.erasure and customer.erased_after:
            heapq.heappush(self._to_be_erased, (self.lived + customer.erased_after, customer.key.int, customer))

    async def _sign_up(self, client: Client, other: Client) -> bool:
        """Sign up, while the other connection already refers to the uncommitted user; return whether there is one now."""
        intent = client.intend("sign_up", "inside")
        try:
            async with client.connection.transaction():
                await sign_up(client)
                await _perform_all(client, client.customer.acts_at("inside"))
                await _perform_all(other, client.customer.acts_at("meanwhile"))
        except asyncpg.PostgresError as error:
            self.ledger.note(intent.answered("raised", sqlstate=error.sqlstate))
            return False
        self.ledger.note(intent.answered("stored"))
        self.signed_up += 1
        return True

    async def _erase_due(self, connection: Connection, lived: float) -> None:
        while self._to_be_erased and self._to_be_erased[0][0] <= lived:
            _, _, customer = heapq.heappop(self._to_be_erased)
            assert customer.erasure is not None
            await erase(Client(connection, customer, self.ledger), customer.erasure)

    def _pass_milestones(self) -> None:
        for lived, passed in self._milestones:
            if self.lived >= lived:
                passed.set()


async def _perform_all(client: Client, acts: Sequence[Act]) -> None:
    for act in acts:
        await perform(client, act)


async def _abandon(client: Client, other: Client) -> None:
    """Sign up and roll back, while the other connection has already referred to the user who never was."""
    transaction = client.connection.transaction()
    await transaction.start()
    await sign_up(client)
    await _perform_all(other, client.customer.acts_at("meanwhile"))
    await transaction.rollback()


async def _perform_at_once(client: Client, other: Client) -> None:
    """Do what comes right after the commit on both connections at the same time, an immediate erasure among it."""
    acts = client.customer.acts_at("at_once")
    both = [act for act in acts if act.kind == "two_callers"]
    rest = [act for act in acts if act.kind != "two_callers"]
    erasing = client.customer.erasure is not None and not client.customer.erased_after
    for act in both:
        await asyncio.gather(perform(client, act), perform(other, act))
    await asyncio.gather(
        _perform_all(client, rest if erasing else rest[::2]),
        _erase_now(other) if erasing else _perform_all(other, rest[1::2]),
    )


async def _erase_now(client: Client) -> None:
    assert client.customer.erasure is not None
    await erase(client, client.customer.erasure)
