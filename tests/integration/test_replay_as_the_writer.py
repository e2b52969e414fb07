"""Replay as the writer: what runs inside has the writer's rights and cannot leave them, and the worker cannot borrow them."""

import json

import asyncpg
import pytest

from tests.integration.conftest import LogIn, MakeRole
from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters, released
from tests.support.workload import park
from worker import pipeline
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection

OWNERS = "select rolname from pg_proc join pg_roles on pg_roles.oid = proowner where proname ~ '^replay_as_[1-9]'"


@pytest.fixture
async def lent(make_role: MakeRole, log_in: LogIn, log: Log) -> Path:
    """The path of a worker that is a member of pgmend_worker and of nothing else."""
    await make_role("lent_worker", "login in role pgmend_worker")
    return Path(await log_in("lent_worker"), log)


async def park_lead(writer: Connection, key: str, source: str = "web") -> None:
    """Capture a lead of the writer's."""
    assert await park(writer, "public.leads", {"user_id": key, "source": source}) == "parked"


async def test_replay_runs_as_the_writer_and_knows_the_workers_session(
    connection: Connection, writer: Connection, lent: Path
) -> None:
    """The row's own defaults and policies see the writer as the current user."""
    await connection.execute("alter table public.leads add column by name default current_user")
    await park_lead(writer, await sign_up(connection))

    await pipeline.turn(lent)

    assert await connection.fetchval("select by from public.leads") == "shop_writer"
    assert await lent.connection.fetchval("select current_user") == "lent_worker"


@pytest.mark.parametrize(
    "escape", ["reset role", "set role lent_worker", "set role none", "set session authorization default", "reset all"]
)
async def test_code_inside_a_replay_cannot_leave_the_writers_rights(
    connection: Connection, writer: Connection, lent: Path, escape: str
) -> None:
    """A function that a trigger calls, and that the writer may have made, finds no way back to the worker's role."""
    await connection.execute(
        f"""
        create function public.escape() returns trigger language plpgsql as $$
        begin
            begin execute '{escape}'; exception when others then null; end;
            new.source := current_user;
            return new;
        end $$;
        create trigger escape before insert on public.leads for each row execute function public.escape()
        """
    )
    await park_lead(writer, await sign_up(connection))

    await pipeline.turn(lent)

    assert await connection.fetchval("select source from public.leads") == "shop_writer"


@pytest.mark.usefixtures("writer")
async def test_worker_may_do_nothing_in_the_writers_name_but_replay(lent: Path) -> None:
    """It is no member of the writer's role, and has no right on a table of the application."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await lent.connection.execute("set role shop_writer")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await lent.connection.execute("insert into public.leads (user_id, source) values (gen_random_uuid(), 'x')")


@pytest.mark.parametrize("change", ["security invoker", "set search_path = 'shop_writer'", "rename to mine"])
async def test_writer_who_changes_the_function_lends_himself_no_rights(
    connection: Connection, writer: Connection, lent: Path, change: str
) -> None:
    """What its owner may change leaves the row waiting for a new grant, or replays it with no more than the writer's rights."""
    await connection.execute("alter table public.leads add column by name default current_user")
    await park_lead(writer, await sign_up(connection))
    try:
        await writer.execute(f"alter function pgmend.replay_as_1(regclass, name, jsonb, boolean) {change}")
    except asyncpg.InsufficientPrivilegeError:
        assert change.startswith("rename")

    await pipeline.turn(lent)

    assert await released(connection) in ([], [("PM004", "grant")])
    assert await count(connection, "public.leads where by <> 'shop_writer'") == 0


async def test_writer_cannot_replace_the_function(writer: Connection) -> None:
    """Its owner may create nothing in the schema, so its body is not theirs to write."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="schema pgmend"):
        await writer.execute(
            """
            create or replace function pgmend.replay_as_1(referencing_table regclass, constraint_name name, row_image jsonb,
            only_look boolean) returns boolean language sql security invoker as 'select true'
            """
        )


@pytest.mark.usefixtures("writer")
async def test_grant_can_be_given_again_and_taken_away(connection: Connection) -> None:
    """One function for each role, however often it is granted; none when the grant is taken away."""
    await connection.execute("select pgmend.grant_captures('shop_writer')")
    granted = await connection.fetch(OWNERS)

    await connection.execute("select pgmend.revoke_captures('shop_writer')")

    assert [row["rolname"] for row in granted] == ["shop_writer"]
    assert await connection.fetch(OWNERS) == []
    assert not await connection.fetchval("select has_schema_privilege('shop_writer', 'pgmend', 'usage')")


async def test_installer_who_may_not_be_the_writer_is_told_so(connection: Connection, make_role: MakeRole, log_in: LogIn) -> None:
    """The grant is refused as a whole, with the membership that is missing."""
    await make_role("stranger", "nologin")
    await make_role("small_installer", "login")
    await connection.execute(
        "grant all on schema pgmend to small_installer; grant all on all functions in schema pgmend to small_installer"
    )
    session = await log_in("small_installer")

    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await session.execute("select pgmend.place_replay_function('stranger')")

    assert "grant stranger to small_installer" in (refused.value.hint or "")


async def test_forged_claims_reach_no_further_than_the_writers_own_rights(
    connection: Connection, writer: Connection, lent: Path
) -> None:
    """A row that names another owner than the claims of its capture is refused by the policy, at the replay as at any insert."""
    await connection.execute(
        """
        alter table public.leads enable row level security;
        create policy own on public.leads to shop_writer
            with check (user_id::text = current_setting('request.jwt.claims', true)::jsonb ->> 'sub')
        """
    )
    mine, other = await sign_up(connection, "mine@x"), await sign_up(connection, "other@x")
    await writer.execute("select set_config('request.jwt.claims', $1, false)", json.dumps({"sub": mine}))
    for key in (mine, other):
        await writer.execute(
            "select pgmend.report_failed_insert('public.leads', $1)", json.dumps({"user_id": key, "source": "x"})
        )

    await pipeline.turn(lent)

    assert await dead_letters(connection) == [("refused", "42501")]
    assert await connection.fetchval("select array_agg(user_id::text) from public.leads") == [mine]


async def test_settings_of_a_replay_end_with_it(connection: Connection, writer: Connection, lent: Path) -> None:
    """Claims, search path and the marks of a replay are gone when it is, whether it stood or failed."""
    await writer.execute("select set_config('request.jwt.claims', '{\"sub\": \"ada\"}', false)")
    await park_lead(writer, await sign_up(connection))
    before = await lent.connection.fetchval("show search_path")

    await pipeline.turn(lent)

    left = await lent.connection.fetchrow(
        """
        select current_setting('request.jwt.claims', true) as claims, current_setting('pgmend.replaying', true) as replaying,
            current_setting('pgmend.trying', true) as trying, current_setting('search_path') as path
        """
    )
    assert left is not None
    assert [value or "" for value in left] == ["", "", "", before]


async def test_code_inside_a_replay_leaves_nothing_behind_that_the_worker_would_run(
    connection: Connection, writer: Connection, lent: Path
) -> None:
    """A search path set for the session, or a temporary type named like one of the catalog, is gone before the worker goes on."""
    await connection.execute(
        """
        create function public.plant() returns trigger language plpgsql as $$
        begin
            perform set_config('search_path', 'shop_writer, pg_catalog', false);
            execute 'create domain pg_temp.text as pg_catalog.text check (false)';
            return new;
        end $$;
        create trigger plant before insert on public.leads for each row execute function public.plant()
        """
    )
    await park_lead(writer, await sign_up(connection))
    before = await lent.connection.fetchval("show search_path")

    await pipeline.turn(lent)

    assert await lent.connection.fetchval("show search_path") == before
    assert await lent.connection.fetchval("select to_regtype('text')::text = 'text' and 'x'::text = 'x'")
    assert await count(connection, "public.leads") == 1
