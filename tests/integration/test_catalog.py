"""What the catalog of a real server says, and the proposal that comes of it."""

import asyncpg
import pytest

from tests.support import applications
from tests.support.applications import Supabase
from tests.support.database import Database, count
from worker.core.pairing import find
from worker.core.proposal import Proposal, Surroundings, propose
from worker.core.quoting import literal
from worker.core.rendering import body
from worker.core.wishes import Wishes
from worker.errors import PgmendError, SourceRefusedError, SourceUnclearError
from worker.store import catalog, sources
from worker.store.connection import Connection, Target, connect


async def look(connection: Connection, **wishes: object) -> tuple[Proposal, Surroundings]:
    """Return the proposal for a database, and what is so there."""
    proposal = propose(await catalog.read(connection), Wishes(**wishes), function=None, grants=())  # type: ignore[arg-type]
    return proposal, await catalog.surroundings(connection, proposal)


@pytest.fixture
async def bare(empty_database: Database) -> Connection:
    """A migrated database without any application."""
    await applications.migrate(empty_database.url)
    return await empty_database.connect()


SHAPES = {
    "shop": (applications.SHOP, "public.users.id", "public.profiles.id", ["name"], "fk_orders_user_id ensure"),
    "camel": (applications.CAMEL, 'public."User".id', 'public."Profile".userId', ["id"], "Order_profileUserId_fkey ensure"),
    "surrogate": (applications.SURROGATE, "public.users.id", "public.profiles.user_id", [], "notes_user_id_fkey ensure"),
    "django": (
        applications.DJANGO,
        "public.auth_user.id",
        "public.accounts_userprofile.user_id",
        [],
        "blog_draft_owner_id_fk report",
    ),
    "undecided": (applications.UNDECIDED, "public.users.id", "public.profiles.id", ["username", "role"], None),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_application_is_understood_from_its_catalog(bare: Connection, shape: str) -> None:
    """Users, profiles, what a person has to decide, and a mode for each key."""
    schema, users, profiles, undecided, guard = SHAPES[shape]
    await bare.execute(schema)
    proposal, _ = await look(bare)

    assert f"{proposal.pair.users.table.quoted}.{proposal.pair.users.key.name}" == users
    assert f"{proposal.pair.profiles.table.quoted}.{proposal.pair.profiles.key.name}" == profiles
    assert list(proposal.undecided) == undecided
    assert guard is None or guard in [f"{choice.key.name} {choice.mode}" for choice in proposal.guards]


@pytest.mark.parametrize("shape", ["surrogate", "django"])
async def test_proposal_without_open_questions_works_as_it_is(bare: Connection, shape: str) -> None:
    """It attaches, a sign-up is healed by the recipe, and nothing is left to propose."""
    await bare.execute(SHAPES[shape][0])
    proposal, around = await look(bare)
    await sources.attach(bare, body(proposal, around))

    users, profiles = proposal.pair.users.table.quoted, proposal.pair.profiles.table.quoted
    await bare.execute(f"insert into {users} (email) values ('ada@example.org')")
    healed = await bare.fetchval("select pgmend.heal_user(1, user_key) from pgmend.outbox")

    assert (healed, await count(bare, profiles)) == ("healed", 1)
    assert (await look(bare))[0].changes_nothing


@pytest.mark.parametrize(
    ("schema", "error", "words"),
    [
        (applications.TWO_OF_EACH, SourceUnclearError, "public.members, public.users"),
        (applications.COMPOSITE, SourceRefusedError, "composite"),
    ],
    ids=["ambiguous", "composite"],
)
async def test_application_that_is_unclear_is_asked_about(
    bare: Connection, schema: str, error: type[PgmendError], words: str
) -> None:
    """One line with the candidates, or the reason."""
    await bare.execute(schema)

    with pytest.raises(error) as asked:
        await look(bare)

    assert words in str(asked.value)


async def test_keys_of_partitions_are_proposed_at_their_root_only(bare: Connection) -> None:
    """A partition inherits the guard of its root."""
    await bare.execute(
        applications.SURROGATE
        + """;
        create table public.logs (day integer, user_id bigint constraint logs_fk references public.profiles (user_id))
        partition by range (day);
        create table public.logs_1 partition of public.logs for values from (1) to (2)
        """
    )
    proposal, _ = await look(bare)

    assert [choice.key.referencing_table for choice in proposal.guards] == ["public.logs", "public.notes"]
    assert (await catalog.read(bare)).table("public.logs_1") is None


HOSTILE = 'it\'s 100% "x" $recipe$ \\\n; select pg_sleep(99) --'


async def test_hostile_names_reach_the_server_as_they_are(bare: Connection) -> None:
    """Quotes, per cent, backslash and newline in the names of a table, columns, a key and a default."""
    name = '"' + HOSTILE.replace('"', '""') + '"'
    default = "'" + HOSTILE.replace("'", "''") + "'"
    await bare.execute(
        f"""
        create table public.users ({name} text primary key, "{"e"}mail" text, "it's \\" text not null);
        create table public.profiles (
            {name} text primary key references public.users, "it's \\" text not null, remark text not null default {default}
        );
        create table {name} (owner text constraint {name} references public.profiles)
        """
    )
    proposal, around = await look(bare)
    await sources.attach(bare, body(proposal, around))

    await bare.execute("insert into public.users values ('k', null, 'copied')")
    await bare.execute(f"insert into {name} values ('k')")
    assert await count(bare, "public.profiles where \"it's \\\" = 'copied'") == 1
    assert await count(bare, "pgmend.guarded_constraints where mode = 'ensure' and constraint_name = $1", HOSTILE[:63]) == 1


async def test_literals_mean_the_same_to_the_server_under_either_setting(bare: Connection) -> None:
    """What is pasted into an old session is not read differently."""
    for setting in ("on", "off"):
        await bare.execute(f"set standard_conforming_strings = {setting}; set escape_string_warning = off")
        assert await bare.fetchval(f"select {literal(HOSTILE)}") == HOSTILE


async def test_users_without_profile_are_counted_by_the_conditions(bare: Connection) -> None:
    """Who is not eligible, or erased, or whole, is not counted; and the count is broken off."""
    await bare.execute(
        """
        create table public.users (id integer primary key, email text, deleted_at timestamptz);
        create table public.profiles (id integer primary key references public.users);
        insert into public.users select n, 'x', case when n <= 10 then now() end from generate_series(1, 10500) as n;
        insert into public.profiles select n from generate_series(11, 20) as n
        """
    )

    assert (await look(bare, eligible_when="users.id < 100"))[1].lacking == 79
    assert (await look(bare))[1].lacking == 10_001


async def test_hosted_users_are_found_and_what_their_role_may_do_is_enough(supabase: Supabase) -> None:
    """Who installs owns neither the schema nor the table of the users, and misses no right."""
    await applications.migrate(supabase.url)
    connection = await connect(Target(supabase.url))
    proposal, around = await look(connection)
    await connection.close()

    assert proposal.pair.users.table.quoted == "auth.users"
    assert (around.missing_rights, around.role_name) == ((), "shop_installer")
    assert [writer.quoted for writer in around.writers] == ["authenticated", "service_role"]
    assert [choice.mode for choice in proposal.guards] == ["ensure"]


async def test_rights_that_are_missing_are_said_with_the_proposal(supabase: Supabase) -> None:
    """Before anything is tried one reads what to grant."""
    admin = await supabase.database.connect()
    await admin.execute("revoke update, trigger on auth.users from shop_installer")
    await applications.migrate(supabase.url)
    connection = await connect(Target(supabase.url))
    _, around = await look(connection)
    await connection.close()

    assert around.missing_rights == ("update on table auth.users", "trigger on table auth.users")


async def test_table_of_another_owner_is_reported_and_not_ensured(supabase: Supabase) -> None:
    """A guard would lend the installer's rights to whoever owns the table."""
    admin = await supabase.database.connect()
    await admin.execute("alter table public.posts owner to supabase_auth_admin; grant all on public.posts to shop_installer")
    await applications.migrate(supabase.url)
    connection = await connect(Target(supabase.url))
    proposal, _ = await look(connection)
    await connection.close()

    assert proposal.guards[0].mode == "report"
    assert "belongs to supabase_auth_admin" in proposal.guards[0].reason


async def test_function_is_found_by_its_name_with_or_without_arguments(bare: Connection) -> None:
    """And one that is not there, or takes something else, is refused with what would be one."""
    await bare.execute(f"{applications.SURROGATE}; create function public.make(key bigint) returns void language sql as ''")

    for name in ("public.make", "public.make(bigint)", "make"):
        assert (await catalog.function(bare, name, "bigint")).signature == "public.make(bigint)"
    with pytest.raises(SourceRefusedError, match="takes a uuid"):
        await catalog.function(bare, "public.make", "uuid")


async def test_looking_changes_nothing(bare: Connection) -> None:
    """A proposal can be made in a transaction that may not write."""
    await bare.execute(applications.SURROGATE)
    async with bare.transaction(readonly=True):
        proposal, _ = await look(bare)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await bare.execute("create table public.x ()")

    assert find(await catalog.read(bare), Wishes()) == proposal.pair
