"""Attaching: what a profile source may be, and how the application's own function makes a profile."""

import asyncpg
import pytest

from tests.support.applications import Supabase, migrate
from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters
from tests.support.workload import report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

WORKSPACES = """
    create table public.workspaces (id uuid primary key default gen_random_uuid(), owner text not null unique);
    alter table public.profiles add column workspace_id uuid references public.workspaces (id);
    create function public.make_profile(key uuid) returns void language plpgsql as $$
    declare
        workspace uuid;
    begin
        insert into public.workspaces (owner) select users.email from public.users where users.id = key
        returning workspaces.id into workspace;
        insert into public.profiles (id, name, workspace_id)
        select key, users.email, workspace from public.users where users.id = key;
    end $$;
    select pgmend.attach_source(
        'public.users', 'public.profiles',
        recipe_function => 'public.make_profile(uuid)', erased_when => 'users.deleted_at is not null'
    )
"""


async def test_function_of_the_application_makes_the_profile_and_what_belongs_to_it(connection: Connection, path: Path) -> None:
    """A profile that needs a workspace first is made by who knows how; the captured insert follows."""
    await connection.execute(WORKSPACES)
    key = await sign_up(connection)
    await report_order(connection, key)

    await pipeline.turn(path)

    assert (
        await count(connection, "public.orders join public.profiles on user_id = profiles.id where workspace_id is not null") == 1
    )
    assert await count(connection, "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'") == 1
    assert await count(connection, "pgmend.outbox") == 0


async def test_function_that_fails_leaves_nothing_behind_but_a_dead_letter(connection: Connection, path: Path) -> None:
    """What the function did before it failed is undone, and the letter names the constraint; others are healed."""
    await connection.execute(WORKSPACES)
    await connection.execute("insert into public.workspaces (owner) values ('taken@x')")
    await sign_up(connection, "taken@x")
    await sign_up(connection, "free@x")

    await pipeline.turn(path)

    assert await dead_letters(connection) == [("needs_recipe", "23505")]
    assert await count(connection, "pgmend.dead_letters where hint like '%workspaces_owner_key%'") == 1
    assert await count(connection, "public.profiles") == 1
    assert await count(connection, "public.workspaces") == 2


async def test_function_is_not_called_for_an_erased_user_or_a_whole_one(connection: Connection, path: Path) -> None:
    """Who is erased stays erased, and who has a profile needs no call."""
    await connection.execute(WORKSPACES)
    erased, whole = await sign_up(connection, "erased@x"), await sign_up(connection, "whole@x")
    await connection.execute("update public.users set deleted_at = now() where id = $1", erased)
    await connection.execute("insert into public.profiles (id, name) values ($1, 'by myself')", whole)

    await pipeline.turn(path)

    assert await count(connection, "public.workspaces") == 0
    assert await count(connection, "pgmend.outbox") == 0


async def test_guard_ensures_with_the_function_of_the_application(connection: Connection) -> None:
    """A plain insert makes the profile by whatever recipe the source has."""
    await connection.execute(WORKSPACES)
    await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')")
    key = await sign_up(connection)

    await connection.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)

    assert await count(connection, "public.workspaces") == 1


async def test_profiles_with_an_id_of_their_own_are_attached_by_the_column_of_the_user(
    connection: Connection, path: Path
) -> None:
    """The key of a profile is whatever is unique and holds the user's key, primary or not."""
    await connection.execute(
        """
        create table public.accounts (id bigint generated always as identity primary key, user_id uuid not null unique);
        create table public.bills (user_id uuid constraint bills_user_id_fkey references public.accounts (user_id));
        select pgmend.attach_source('public.users', 'public.accounts', profiles_key => 'user_id');
        select pgmend.guard('public.bills', 'bills_user_id_fkey')
        """
    )
    key = await sign_up(connection)
    await connection.execute("select pgmend.insert_or_park('public.bills', jsonb_build_object('user_id', $1::text))", key)

    await pipeline.turn(path)

    assert await count(connection, "public.bills join public.accounts using (user_id)") == 1


@pytest.mark.parametrize(
    ("attach", "error", "hint"),
    [
        ("'public.crowd', 'public.profiles'", asyncpg.InvalidColumnReferenceError, "composite"),
        ("'public.users', 'public.profiles', profiles_key => 'name'", asyncpg.InvalidColumnReferenceError, "unique index"),
        (
            "'public.users', 'public.profiles', recipe_function => 'public.display_name(text, text)'",
            asyncpg.InvalidFunctionDefinitionError,
            "one argument",
        ),
        (
            """'public.users', 'public.profiles', '{"name": "1"}', recipe_function => 'public.known(uuid)'""",
            asyncpg.InvalidParameterValueError,
            "not both",
        ),
        ("'public.documents', 'public.profiles'", asyncpg.FeatureNotSupportedError, "Keys of type uuid"),
        ("'public.named', 'public.named_profiles'", asyncpg.FeatureNotSupportedError, "Keys of type uuid"),
        ("'public.users', 'public.text_profiles'", asyncpg.DatatypeMismatchError, "the type that the key of the users has"),
        (
            """'public.users', 'public.profiles', '{"name": " -- decide"}'""",
            asyncpg.InvalidParameterValueError,
            "in place of each",
        ),
    ],
    ids=[
        "composite-key",
        "key-that-is-not-unique",
        "function-of-other-arguments",
        "two-recipes",
        "key-of-another-type",
        "domain-without-null",
        "keys-of-two-kinds",
        "undecided",
    ],
)
async def test_source_that_cannot_work_is_refused_with_the_reason(
    connection: Connection, attach: str, error: type[asyncpg.PostgresError], hint: str
) -> None:
    """What would go wrong later is said at once, and nothing changes."""
    await connection.execute(
        """
        create table public.crowd (tenant int, id uuid, primary key (tenant, id));
        create table public.documents (id jsonb primary key);
        create domain public.key_name as text not null;
        create table public.named (id public.key_name primary key);
        create table public.named_profiles (id public.key_name primary key);
        create table public.text_profiles (id text primary key);
        create function public.known(key uuid) returns boolean language sql as 'select true'
        """
    )
    before = await connection.fetch("select * from pgmend.profile_sources")

    with pytest.raises(error) as refused:
        await connection.execute(f"select pgmend.attach_source({attach})")

    assert hint in (refused.value.hint or "")
    assert await connection.fetch("select * from pgmend.profile_sources") == before


@pytest.mark.parametrize(
    "right",
    [
        "usage on schema auth",
        "select on table auth.users",
        "update on table auth.users",
        "trigger on table auth.users",
        "select on table public.profiles",
        "insert on table public.profiles",
    ],
)
async def test_right_that_the_installer_lacks_is_named(supabase: Supabase, right: str) -> None:
    """Before anything is made: which right, on what, and who needs it."""
    await migrate(supabase.url)
    admin = await supabase.database.connect()
    users = await admin.fetchval("select 'auth.users'::regclass::oid")
    await admin.execute(f"revoke {right} from shop_installer; set session authorization shop_installer")

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"shop_installer lacks: {right}\n") as refused:
        await admin.execute(f"select pgmend.attach_source({users}::regclass, 'public.profiles')")

    assert "to shop_installer" in (refused.value.hint or "")


async def test_key_may_be_of_a_domain(connection: Connection, path: Path) -> None:
    """A domain that allows null is of the kind of its base type."""
    await connection.execute(
        """
        create domain public.user_key as uuid;
        create table public.guests (id public.user_key primary key);
        create table public.guest_profiles (id uuid primary key references public.guests);
        select pgmend.attach_source('public.guests', 'public.guest_profiles');
        insert into public.guests values (gen_random_uuid())
        """
    )

    await pipeline.turn(path)

    assert await count(connection, "public.guest_profiles join public.guests using (id)") == 1
