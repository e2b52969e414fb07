"""The mode ensure: what a plain insert that refers to a missing profile comes to."""

import asyncio

import asyncpg
import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

ORDER = "insert into public.orders (user_id, amount) values ($1, 9.90) returning id"
ENSURE = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')"
REPORT = "select pgmend.guard('public.orders', 'fk_orders_user_id')"
NOBODY = "00000000-0000-0000-0000-000000000000"
CREATED = "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'"
DEFERRED = """
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id)
        deferrable initially deferred
"""


@pytest.fixture
async def ensured(connection: Connection) -> Connection:
    """The application's connection, with the key of the orders in the mode ensure."""
    await connection.execute(ENSURE)
    return connection


async def test_plain_insert_makes_the_profile_and_returns_its_row(ensured: Connection, path: Path) -> None:
    """The writer sees an ordinary insert; the profile is the recipe's, audited once, and the worker finds it whole."""
    key = await sign_up(ensured, name="Ada")

    assert await ensured.fetchval(ORDER, key) is not None
    await pipeline.turn(path)

    assert await ensured.fetchval("select name from public.profiles where id = $1", key) == "Ada"
    assert await count(ensured, f"{CREATED} and user_id = $1 and table_name = 'public.orders'", key) == 1
    assert await count(ensured, "pgmend.outbox") == 0


async def test_unknown_and_erased_users_keep_their_honest_error(ensured: Connection) -> None:
    """The foreign key says what it always says, and nobody is made or brought back."""
    erased = await sign_up(ensured)
    await ensured.execute("update public.users set deleted_at = now() where id = $1", erased)

    for key in (NOBODY, erased):
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
            await ensured.fetchval(ORDER, key)

    assert await count(ensured, "public.profiles") == 0


async def test_profile_that_cannot_be_made_leaves_the_error_of_the_key(ensured: Connection) -> None:
    """What the recipe meets is not the writer's business: no other error than the one there always was."""
    key = await sign_up(ensured, name="x" * 121)

    with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
        await ensured.fetchval(ORDER, key)


async def test_statement_that_writes_the_profile_itself_after_the_row_is_left_alone(ensured: Connection) -> None:
    """A child-first CTE was right before, and stays right: the key is looked at when the statement has ended."""
    key = await sign_up(ensured)

    await ensured.execute(
        """
        with ordered as (insert into public.orders (user_id, amount) values ($1, 1))
        insert into public.profiles (id, name) values ($1, 'by myself')
        """,
        key,
    )

    assert await ensured.fetchval("select name from public.profiles where id = $1", key) == "by myself"
    assert await count(ensured, CREATED) == 0


async def test_deferred_key_lets_the_profile_come_later_in_the_transaction(connection: Connection) -> None:
    """The guard waits as long as the key does: who brings the profile is left alone, who does not gets it at the commit."""
    await connection.execute(DEFERRED + ";" + ENSURE)
    own, made = await sign_up(connection, "own@x"), await sign_up(connection, "made@x")

    async with connection.transaction():
        await connection.execute(ORDER, own)
        await connection.execute(ORDER, made)
        await connection.execute("insert into public.profiles (id, name) values ($1, 'by myself')", own)
        assert await count(connection, "public.profiles") == 1

    names = await connection.fetchval("select array_agg(name order by name) from public.profiles")
    assert names == ["by myself", "made"]


async def test_row_that_is_refused_for_another_reason_makes_no_profile(
    ensured: Connection, database: Database, make_role: MakeRole
) -> None:
    """Row-level security, CHECK and NOT NULL have spoken before the guard does."""
    await make_role("shop_writer")
    key = await sign_up(ensured)
    await ensured.execute(
        """
        grant insert, select on public.orders to shop_writer;
        alter table public.orders enable row level security;
        create policy nobody on public.orders to shop_writer with check (false)
        """
    )
    session = await database.connect()
    await session.execute("set role shop_writer")

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await session.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)

    assert await count(ensured, "public.profiles") == 0


async def test_writer_without_any_right_on_profiles_is_served(
    ensured: Connection, database: Database, make_role: MakeRole
) -> None:
    """The guard runs with our rights and opens nothing: the writer still sees no profile."""
    await make_role("shop_writer")
    key = await sign_up(ensured)
    await ensured.execute("grant insert, select on public.orders to shop_writer")
    session = await database.connect()
    await session.execute("set role shop_writer; set search_path = ''")

    await session.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)

    assert await count(ensured, "public.orders join public.profiles on user_id = profiles.id") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await session.execute("select from public.profiles")


async def test_key_that_a_before_trigger_fills_in_is_the_one_that_counts(ensured: Connection) -> None:
    """Whatever BEFORE triggers do, and whatever they are called, the guard sees the row as it is stored."""
    key = await sign_up(ensured)
    await ensured.execute(
        f"""
        create function public.fill() returns trigger language plpgsql as $$ begin new.user_id := '{key}'; return new; end $$;
        create trigger "~~~last" before insert on public.orders for each row execute function public.fill()
        """
    )

    await ensured.execute(ORDER, NOBODY)

    assert await count(ensured, "public.profiles where id = $1", key) == 1


async def test_profile_that_somebody_else_is_just_making_is_waited_for(ensured: Connection, database: Database) -> None:
    """Without a guard the insert fails at once; with it both transactions succeed, and there is one profile."""
    key = await sign_up(ensured)
    making = await database.connect()
    async with making.transaction():
        await making.execute("insert into public.profiles (id, name) values ($1, 'by myself')", key)
        ordering = asyncio.ensure_future(ensured.fetchval(ORDER, key))
        await eventually(lambda: count(making, "pg_locks where locktype = 'transactionid' and not granted"))

    assert await ordering is not None
    assert await count(ensured, CREATED) == 0


async def test_insert_that_is_rolled_back_leaves_no_profile_and_no_trace(ensured: Connection, path: Path) -> None:
    """Profile and audit entry belong to the writer's transaction; the sign-up's own event heals the user later, once."""
    key = await sign_up(ensured)
    transaction = ensured.transaction()
    await transaction.start()
    await ensured.execute(ORDER, key)
    await transaction.rollback()
    assert await count(ensured, CREATED) == 0

    await pipeline.turn(path)

    assert await count(ensured, CREATED) == 1


async def test_many_rows_and_copy_are_healed_row_by_row(ensured: Connection) -> None:
    """A load of orders for users without profile stores them all, with one profile for each user."""
    keys = [await sign_up(ensured, f"u{n}@x") for n in range(5)]
    await ensured.execute("insert into public.orders (user_id, amount) select unnest($1::uuid[] || $1::uuid[]), 1", keys[:3])

    await ensured.copy_records_to_table("orders", records=[(key, 2) for key in keys], columns=["user_id", "amount"])

    assert await count(ensured, "public.orders") == 11
    assert await count(ensured, CREATED) == await count(ensured, "public.profiles") == 5


async def test_replay_meets_no_guard_of_ours(ensured: Connection, path: Path) -> None:
    """A captured row of a guarded table is replayed once, and not captured again."""
    key = await sign_up(ensured)
    await ensured.execute(
        "select pgmend.report_failed_insert('public.orders', jsonb_build_object('user_id', $1::text, 'amount', 1))", key
    )

    await pipeline.turn(path)

    assert await count(ensured, "public.orders") == await count(ensured, CREATED) == 1


async def test_renamed_column_is_found_under_its_new_name(connection: Connection, path: Path) -> None:
    """A schema change breaks no insert: the guard looks the column up where it fails on it."""
    await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')")
    await connection.execute("alter table public.orders rename column user_id to buyer_id")
    key = await sign_up(connection)

    await connection.execute("insert into public.orders (buyer_id, amount) values ($1, 1)", key)
    await pipeline.turn(path)

    assert await count(connection, "public.orders join public.profiles on buyer_id = profiles.id") == 1


async def test_partitioned_table_is_guarded_at_its_root(connection: Connection, path: Path) -> None:
    """The trigger fires on the leaf; what is captured is a row of the root."""
    await connection.execute(
        """
        create table public.visits (
            user_id uuid constraint visits_user_id_fkey references public.profiles (id), at date
        ) partition by range (at);
        create table public.visits_2026 partition of public.visits for values from ('2026-01-01') to ('2027-01-01');
        select pgmend.guard('public.visits', 'visits_user_id_fkey', mode => 'ensure')
        """
    )
    key = await sign_up(connection)

    await connection.execute("insert into public.visits values ($1, '2026-11-21')", key)
    await pipeline.turn(path)

    assert await count(connection, "public.visits join public.profiles on user_id = profiles.id") == 1


async def test_composite_key_is_guarded_by_the_column_of_the_user(connection: Connection, path: Path) -> None:
    """The profile is made by the user's key; whether the rest of the key fits is for the foreign key to say."""
    await connection.execute(
        """
        alter table public.profiles add column region text not null default 'eu', add unique (region, id);
        create table public.visits (
            region text, user_id uuid,
            constraint visits_fkey foreign key (region, user_id) references public.profiles (region, id)
        );
        select pgmend.guard('public.visits', 'visits_fkey', mode => 'ensure')
        """
    )
    key = await sign_up(connection)

    await connection.execute("insert into public.visits values ('eu', $1), (null, $1), ('eu', null)", key)
    await pipeline.turn(path)

    assert await count(connection, "public.visits") == 3
    assert await count(connection, "public.visits join public.profiles on user_id = profiles.id") == 2


async def test_unguarded_table_is_as_it_was(connection: Connection) -> None:
    """The trigger is gone with the guard, and the foreign key speaks for itself."""
    await connection.execute(ENSURE)
    await connection.execute("select pgmend.unguard('public.orders', 'fk_orders_user_id')")
    key = await sign_up(connection)

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.fetchval(ORDER, key)

    assert await count(connection, "pg_trigger where tgrelid = 'public.orders'::regclass and not tgisinternal") == 0
    assert await count(connection, "pg_proc where proname like '%_guarded_%'") == 0


async def test_guard_that_changes_its_mode_has_one_trigger(connection: Connection) -> None:
    """Whoever guards again replaces what stood there."""
    for guard in (ENSURE, REPORT, ENSURE, ENSURE):
        await connection.execute(guard)

    triggers = await connection.fetch(
        "select tgname from pg_trigger where tgrelid = 'public.orders'::regclass and not tgisinternal"
    )
    assert [trigger["tgname"].split("_")[:2] for trigger in triggers] == [["PGMEND", "ensure"]]


async def test_unknown_mode_is_refused(connection: Connection) -> None:
    """The hint lists the modes."""
    with pytest.raises(asyncpg.InvalidParameterValueError) as refused:
        await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'hope')")

    assert "ensure" in (refused.value.hint or "")


async def test_writer_with_temporary_objects_lends_no_rights_of_ours(
    ensured: Connection, database: Database, make_role: MakeRole
) -> None:
    """A trigger on the profiles table that leaves a name unqualified would find the writer's table: no profile is made there."""
    await make_role("shop_writer")
    key = await sign_up(ensured)
    await ensured.execute(
        """
        grant insert on public.orders to shop_writer;
        create table public.activity_log (said text);
        create function public.note() returns trigger language plpgsql as
        $$ begin insert into activity_log values ('new'); return null; end $$;
        create trigger note after insert on public.profiles for each row execute function public.note()
        """
    )
    session = await database.connect()
    await session.execute(
        """
        set role shop_writer; create temp table activity_log (said text);
        create function pg_temp.seize() returns trigger language plpgsql as
        $$ begin raise exception 'seized by %', current_user using errcode = 'P0042'; end $$;
        create trigger seize before insert on activity_log for each row execute function pg_temp.seize()
        """
    )

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await session.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)


async def test_table_of_an_owner_who_is_not_ours_is_not_ensured(connection: Connection, make_role: MakeRole) -> None:
    """Whoever owns the table could give its columns types and casts of his own, which the trigger would run with our rights."""
    await make_role("shop_owner")
    await connection.execute("alter table public.orders owner to shop_owner")

    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await connection.execute(ENSURE)

    assert "report" in (refused.value.hint or "")


async def test_key_that_is_deferrable_at_will_is_not_ensured(connection: Connection) -> None:
    """Whether a transaction defers such a key by name, no other trigger can know."""
    await connection.execute(DEFERRED.replace("initially deferred", "initially immediate"))

    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await connection.execute(ENSURE)


@pytest.mark.parametrize(
    "change",
    ["alter table public.profiles rename to accounts", "drop table public.profiles cascade"],
    ids=["profiles-renamed", "profiles-dropped"],
)
async def test_schema_change_breaks_no_insert(ensured: Connection, change: str) -> None:
    """What the guard can no longer look up is for the foreign key to judge, or for nobody."""
    key = await sign_up(ensured)
    await ensured.execute("insert into public.profiles (id, name) values ($1, 'whole')", key)
    await ensured.execute(change)

    assert await ensured.fetchval(ORDER, key) is not None
