"""``pgmend attach`` and ``pgmend detach``, as a person runs them."""

import json
from pathlib import Path

import pytest

from tests.conftest import StartWorker
from tests.support import applications
from tests.support.applications import Supabase
from tests.support.broken import CONDITION
from tests.support.database import Database, count, sign_up
from tests.support.process import run_command
from tests.support.waiting import eventually
from tests.support.workload import TOO_LONG, park_order
from worker.pipeline import Path as EventPath
from worker.pipeline import turn

RECIPE = {"name": "public.display_name(users.full_name, users.email)"}
STATE = """
    select (to_jsonb(source) - 'attached_at')::text from pgmend.profile_sources as source
    union all
    select to_jsonb(guard)::text from pgmend.guarded_constraints as guard
    union all
    select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select pg_get_functiondef(oid) || proacl::text from pg_proc where pronamespace = 'pgmend'::regnamespace
    order by 1
"""


@pytest.fixture
async def shop(empty_database: Database) -> Database:
    """The sample application, with pgmend installed and not attached."""
    await applications.migrate(empty_database.url)
    await (await empty_database.connect()).execute(applications.SHOP)
    return empty_database


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    """A file that decides what the sample's proposal leaves open."""
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(RECIPE))
    return str(path)


async def state(database: Database) -> list[str]:
    """Return everything that attaching may change."""
    return [row[0] for row in await (await database.connect()).fetch(STATE)]


async def done(database: Database, *arguments: str) -> str:
    """Run a command that succeeds and says nothing on stderr; return what it prints."""
    status, out, err = await run_command(database.url, *arguments)
    assert (status, err) == (0, "")
    return out


async def refused(database: Database, status: int, *arguments: str) -> str:
    """Run a command that is refused with that exit status; return its one line."""
    found, out, err = await run_command(database.url, *arguments)
    assert (found, out, err.count("\n")) == (status, "", 1), err
    return err


async def test_proposal_is_printed_and_changes_nothing(shop: Database) -> None:
    """One transaction of SQL, with the reasons; the database is as it was."""
    before = await state(shop)
    text = await done(shop, "attach")

    assert "users_table => 'public.users'" in text
    assert '"name": "-- decide"' in text
    assert "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure');" in text
    assert await state(shop) == before


async def test_undecided_recipe_exits_25_and_names_the_columns(shop: Database) -> None:
    """Nothing is applied that a person has to decide, neither by the command nor where its SQL is pasted."""
    before = await state(shop)
    line = await refused(shop, 25, "attach", "--apply")
    text = await done(shop, "attach")

    assert ": name -> " in line
    with pytest.raises(Exception, match="leaves it to a person what becomes of name"):
        await (await shop.connect()).execute(applications.between_begin_and_commit(text))
    assert await state(shop) == before


async def test_applied_proposal_heals_the_past_and_the_present(shop: Database, recipe: str, start: StartWorker) -> None:
    """From nothing to attached: the sweep finds who was there before, and a plain insert makes the missing profile."""
    connection = await shop.connect()
    await sign_up(connection)
    out = await done(shop, "attach", "--recipe", recipe, "--apply")
    await start(url=shop.url, sweep_interval_seconds=0.1)

    async def healed() -> bool:
        return await count(connection, "public.profiles where name = 'ada'") == 1

    await eventually(healed)
    key = await sign_up(connection, "grace@example.org", "Grace")
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)
    assert "users without a profile: 1" in out
    assert out.splitlines()[0] == "attached public.users.id -> public.profiles.id"
    assert "pgmend run" in out.splitlines()[-1]


async def test_applying_twice_changes_nothing(shop: Database, recipe: str) -> None:
    """With the same options or with none; and the second proposal says so."""
    await done(shop, "attach", "--recipe", recipe, "--apply")
    before = await state(shop)

    again = await done(shop, "attach", "--recipe", recipe, "--apply")
    bare = await done(shop, "attach", "--apply")

    assert again.startswith("nothing to do")
    assert bare.startswith("nothing to do")
    assert "nothing differs" in await done(shop, "attach")
    assert await state(shop) == before


async def test_pasted_sql_does_what_apply_does(shop: Database, recipe: str, tmp_path: Path) -> None:
    """A folder of migrations and the command come to the same database."""
    options = ("attach", "--recipe", recipe, "--guard", "leads_user_id_fkey=report", "--guard", "fk_orders_user_id=none")
    file = tmp_path / "0042_attach_pgmend.sql"
    assert "nothing was changed" in await done(shop, *options, "--output", str(file))
    connection = await shop.connect()
    await connection.execute(file.read_text())
    pasted = await state(shop)

    await done(shop, "uninstall")
    await applications.migrate(shop.url)
    await done(shop, *options, "--apply")

    assert await state(shop) == pasted
    assert [row for row in pasted if "leads_user_id_fkey" in row and '"report"' in row]
    assert not [row for row in pasted if "fk_orders_user_id" in row]


async def test_change_is_proposed_as_what_differs(shop: Database, recipe: str) -> None:
    """An attached application shows the difference only, and applying it makes the difference only."""
    await done(shop, "attach", "--recipe", recipe, "--apply")
    options = ("attach", "--eligible-when", "users.email is not null", "--guard", "public.orders.fk_orders_user_id=report")

    text = await done(shop, *options)
    await done(shop, *options, "--apply")

    assert "differs   eligible_when: true becomes users.email is not null" in text
    assert text.count("select pgmend.guard(") == 1
    assert [row for row in await state(shop) if "fk_orders_user_id" in row and '"report"' in row]
    assert RECIPE["name"] in "".join(await state(shop))


async def test_detached_application_is_as_it_was_before(shop: Database, recipe: str) -> None:
    """A dry run only says it; then all of it goes, and it can be attached again."""
    before = await state(shop)
    await done(shop, "attach", "--recipe", recipe, "--apply")
    attached = await state(shop)

    assert "would be detached" in await done(shop, "detach", "--dry-run")
    assert await state(shop) == attached
    assert "the guard of public.orders fk_orders_user_id (ensure)" in await done(shop, "detach")
    assert await state(shop) == before
    await done(shop, "attach", "--recipe", recipe, "--apply")
    assert len(await state(shop)) == len(attached)


async def test_detaching_with_captured_rows_exits_19(database: Database) -> None:
    """Captured rows are not dropped unless that is said."""
    connection = await database.connect()
    await park_order(connection, await sign_up(connection))

    assert "1 captured rows would be lost" in await refused(database, 19, "detach", "--source", "1")
    assert "refused while captured rows" in await done(database, "detach", "--dry-run", "--users", "public.users")
    assert "captured rows: 1" in await done(database, "detach", "--all", "--discard-events")
    assert await done(database, "detach", "--all") == "nothing to do: no source is attached\n"


@pytest.mark.parametrize(
    ("schema", "options", "status", "words"),
    [
        (applications.TWO_OF_EACH, [], 24, "public.members, public.users -> name one: --users TABLE"),
        (applications.SURROGATE, ["--users", "people"], 24, "there is no table people"),
        (applications.SURROGATE, ["--guard", "nothing=report"], 24, "public.notes.notes_user_id_fkey"),
        (applications.COMPOSITE, [], 26, "tenant, id"),
        (applications.SURROGATE, ["--recipe-function", "public.none"], 26, "takes a bigint"),
        (applications.SURROGATE, ["--grant", "nobody_at_all"], 26, "no role nobody_at_all"),
        (applications.SURROGATE, ["--eligible-when", "users.nothing", "--apply"], 32, "column users.nothing"),
    ],
)
async def test_what_cannot_be_proposed_is_one_line_and_an_exit_status(
    empty_database: Database, schema: str, options: list[str], status: int, words: str
) -> None:
    """The line says what is meant, what could be, and the option that says it."""
    await applications.migrate(empty_database.url)
    await (await empty_database.connect()).execute(schema)

    assert words in await refused(empty_database, status, "attach", *options)


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "holds no recipe"), ('["name"]', "no JSON object"), ('{"name": 1}', "no JSON object"), (None, "recipe")],
)
async def test_recipe_that_is_none_is_a_wrong_command_line(tmp_path: Path, text: str | None, words: str) -> None:
    """A file that cannot be read is said before anything is looked at."""
    path = tmp_path / "recipe.json"
    if text is not None:
        path.write_text(text)
    status, _, err = await run_command("", "attach", "--recipe", str(path))

    assert (status, words in err) == (2, True)


async def test_proposal_as_data_is_read_by_a_program(shop: Database) -> None:
    """What a person reads stands there with names."""
    proposal = json.loads(await done(shop, "attach", "--json"))

    assert (proposal["users"]["table"], proposal["undecided"]) == ("public.users", ["name"])
    assert {guard["mode"] for guard in proposal["guards"]} == {"ensure"}
    assert (proposal["applied"], proposal["changes_nothing"]) == (False, False)


async def test_function_of_the_application_is_attached_by_its_name(shop: Database) -> None:
    """It makes the profiles in place of a recipe, so there is nothing to decide."""
    connection = await shop.connect()
    await connection.execute("create function public.make_profile(key uuid) returns void language sql as ''")
    await done(shop, "attach", "--recipe-function", "public.make_profile", "--apply")

    assert await count(connection, "pgmend.profile_sources where recipe_function = 'public.make_profile'") == 1
    assert "nothing differs" in await done(shop, "attach")


async def test_hosted_application_is_attached_by_who_owns_no_users(supabase: Supabase, start: StartWorker) -> None:
    """The installer is no superuser and owns neither auth.users nor its schema; a sign-up is healed all the same."""
    await applications.migrate(supabase.url)
    assert (await run_command(supabase.url, "attach", "--apply"))[0] == 0
    await start(url=supabase.url)
    admin = await supabase.database.connect()
    await admin.execute("set role supabase_auth_admin; insert into auth.users (id) values (gen_random_uuid()); reset role")

    async def healed() -> bool:
        return await count(admin, "public.profiles") == 1

    await eventually(healed)
    assert "nothing differs" in (await run_command(supabase.url, "attach"))[1]


async def test_hosted_application_is_detached_by_who_owns_no_users(supabase: Supabase) -> None:
    """Their trigger goes with its function, which the installer owns."""
    await applications.migrate(supabase.url)
    before = await state(supabase.database)
    assert (await run_command(supabase.url, "attach", "--apply"))[0] == 0

    assert (await run_command(supabase.url, "detach"))[0] == 0
    assert await state(supabase.database) == before


async def test_role_that_is_named_gets_the_captures_and_no_other(supabase: Supabase) -> None:
    """What a comment proposes becomes real for who is named."""
    await applications.migrate(supabase.url)
    status, out, _ = await run_command(supabase.url, "attach", "--grant", "authenticated", "--apply")
    may = "select has_function_privilege($1::text, 'pgmend.insert_or_park(regclass, jsonb)', 'execute')"
    admin = await supabase.database.connect()

    assert (status, "granted the captures to authenticated" in out) == (0, True)
    assert [await admin.fetchval(may, role) for role in ("authenticated", "service_role", "anon")] == [True, False, False]


async def test_attached_condition_that_the_application_broke_is_named_with_its_option(database: Database) -> None:
    """Nobody is sent to the server's log for what the command knows itself, with and without --apply."""
    await (await database.connect()).execute(CONDITION)
    says = await refused(database, 32, "attach", "--apply")

    assert "erased_when, as attached already: users.deleted_at is not null: column users.deleted_at does not exist" in says
    assert "--erased-when 'a condition over users.…'" in says
    assert await refused(database, 32, "attach") == says


async def test_both_conditions_that_are_refused_are_named_at_once(database: Database) -> None:
    """A person mends them in one go."""
    says = await refused(database, 32, "attach", "--eligible-when", "users.nope", "--erased-when", "1")

    assert "eligible_when, as given and erased_when, as given" in says
    assert "--eligible-when 'a condition over users.…' --erased-when 'a condition over users.…'" in says


async def test_attaching_again_names_the_dead_letters_that_no_sweep_sends_back(database: Database, path: EventPath) -> None:
    """Their users stay broken until a person requeues, and that is said with the command."""
    connection = await database.connect()
    await sign_up(connection, "poison@x", TOO_LONG)
    await turn(path)
    proposed = await done(database, "attach", "--eligible-when", "users.email is not null")
    applied = await done(database, "attach", "--eligible-when", "users.email is not null", "--apply")

    assert "but not those with a dead letter (1 needs_recipe): they wait for pgmend dead-letters requeue" in proposed
    assert applied.splitlines()[-1] == (
        "      1 dead letter of this source waits for a person: "
        "pgmend dead-letters requeue --verdict needs_recipe, with --dry-run first"
    )


async def test_attaching_without_dead_letters_sends_nobody_to_look_for_some(database: Database) -> None:
    """What is not there is not spoken of."""
    applied = await done(database, "attach", "--eligible-when", "users.email is not null", "--apply")

    assert "dead letter" not in applied
