"""What the sweep counts is kept, so that whoever asks for the integrity of the data counts nothing anew."""

import asyncpg

from tests.support.database import Database, count, sign_up
from worker import pipeline
from worker.counting import count as count_integrity
from worker.log import Log
from worker.pipeline import Path
from worker.runtime.orphan_watch import OrphanWatch
from worker.runtime.stopping import Stop
from worker.runtime.sweeper import Sweeper
from worker.store.connection import Connection, Target

AGED = "update pgmend.express_events set created_at = created_at - interval '2 minutes'"
SILENT = "set session_replication_role = replica"


async def counted(connection: Connection) -> asyncpg.Record:
    """Count, and return what is kept of the only source."""
    await count_integrity(connection)
    row = await connection.fetchrow("select * from pgmend.user_counts")
    assert row is not None
    return row


async def test_users_and_those_without_a_profile_are_counted(connection: Connection, path: Path) -> None:
    """Erased users are entitled to nothing, and who is whole is not missing."""
    await sign_up(connection)
    await pipeline.turn(path)
    await connection.execute(SILENT)
    for _ in range(3):
        await sign_up(connection)
    await connection.execute(
        "update public.users set deleted_at = now() where id = (select max(id::text)::uuid from public.users)"
    )
    row = await counted(connection)
    erased_was_whole = await count(connection, "public.users join public.profiles using (id) where deleted_at is not null")

    assert (row["users"], row["without_profile"]) == (3, 2 + erased_was_whole)


async def test_sign_up_of_this_minute_is_not_overdue(connection: Connection) -> None:
    """Who has just signed up has no profile yet, and nobody is late; a minute later somebody is."""
    await sign_up(connection)
    fresh = await counted(connection)
    await connection.execute(AGED)
    old = await counted(connection)

    assert (fresh["without_profile"], fresh["overdue"], fresh["overdue_since"]) == (1, 0, None)
    assert (old["without_profile"], old["overdue"]) == (1, 1)
    assert old["overdue_since"] == old["counted_at"]


async def test_overdue_is_dated_from_the_first_of_an_unbroken_row_of_counts(connection: Connection, path: Path) -> None:
    """The date stays while somebody is overdue, and goes when nobody is."""
    await sign_up(connection)
    await connection.execute(AGED)
    first, second = await counted(connection), await counted(connection)
    await pipeline.turn(path)
    whole = await counted(connection)

    assert first["overdue_since"] == second["overdue_since"] < second["counted_at"]
    assert (whole["without_profile"], whole["overdue_since"]) == (0, None)


async def test_conditions_that_choke_on_somebody_leave_the_others_counted(connection: Connection) -> None:
    """Whom the conditions cannot judge counts as missing; how many users are entitled is unknown."""
    await connection.execute(
        "select pgmend.attach_source('public.users', 'public.profiles', '{}', eligible_when => '1 / length(users.email) > -1')"
    )
    await connection.execute(SILENT)
    await sign_up(connection, "")
    await sign_up(connection)
    row = await counted(connection)

    assert (row["users"], row["without_profile"]) == (None, 2)


async def test_counts_go_with_their_source(connection: Connection) -> None:
    """A source that is detached leaves no count behind."""
    await counted(connection)
    await connection.execute("select pgmend.detach_source(1)")

    assert await count(connection, "pgmend.user_counts") == 0


async def test_orphans_are_kept_by_reference(database: Database, connection: Connection, log: Log) -> None:
    """The sweep keeps what its watch has counted; a reference that is no more is forgotten."""
    await connection.execute(
        "alter table public.orders drop constraint fk_orders_user_id;"
        "insert into public.orders (user_id, amount) values (gen_random_uuid(), 1)"
    )
    sweeper = Sweeper(Target(database.url), Stop(), log, watch=OrphanWatch(3600, 60))
    await sweeper._sweep_once()
    kept = await connection.fetch("select reference, orphans from pgmend.orphan_counts where orphans_since is not null")
    await connection.execute("drop table public.orders cascade")
    sweeper.watch._unproven_due = 0.0
    await sweeper._sweep_once()

    assert [tuple(row) for row in kept] == [("orders.user_id=profiles.id", 1)]
    assert await count(connection, "pgmend.orphan_counts where referencing_table = 'public.orders'") == 0


async def test_worker_of_few_rights_counts_users(connection: Connection) -> None:
    """The worker's role may read no table of the application, and counts all the same."""
    await sign_up(connection)
    await connection.execute("set role pgmend_worker")

    assert (await counted(connection))["without_profile"] == 1
