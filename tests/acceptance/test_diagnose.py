"""``pgmend diagnose`` and ``pgmend verify`` as commands: what they print, and their exit status."""

import json

import pytest

from tests.support.database import Database
from tests.support.process import run_command
from tests.support.surveyed import PEOPLE, SOFTLY

NAMED = ("--users", "users", "--profiles", "profiles", "--erased-when", SOFTLY)
WHOLE = """
    delete from public.users where id = md5('healable')::uuid;
    create table public.orders (user_id uuid constraint fk_orders_user_id references public.profiles);
    create index orders_by_user on public.orders (user_id)
"""
ORPHANED = """
    create table public.orders as select md5(name)::uuid as user_id from unnest(array['healable', 'erased', 'x']) as name
"""


@pytest.fixture
async def whole(empty_database: Database) -> Database:
    """A database without pgmend in which nothing is missing."""
    await (await empty_database.connect()).execute(f"{PEOPLE}; {WHOLE}")
    return empty_database


@pytest.fixture
async def orphaned(empty_database: Database) -> Database:
    """A database without pgmend in which ALTER TABLE orders ADD CONSTRAINT fk_orders_user_id fails."""
    await (await empty_database.connect()).execute(f"{PEOPLE}; {ORPHANED}")
    return empty_database


async def test_diagnosis_of_a_whole_database_exits_0(whole: Database) -> None:
    """Everybody has a profile, and the key stands."""
    status, out, err = await run_command(whole.url, "diagnose", *NAMED)

    assert (status, err) == (0, "")
    assert "coverage     100 % of the eligible users have a profile, nobody without" in out
    assert out.splitlines()[-1] == "0 orphans, 0 findings"


async def test_diagnosis_of_orphans_exits_3(orphaned: Database) -> None:
    """In a pipe as on a terminal, a hundred columns wide."""
    status, out, err = await run_command(orphaned.url, "diagnose", *NAMED)

    assert (status, err) == (3, "")
    assert "orphans      3 in 3 rows, 3 distinct keys" in out
    assert max(map(len, out.splitlines())) <= 100
    assert out.splitlines()[-1] == "3 orphans, 3 findings"


async def test_json_is_one_object_with_as_many_keys_as_wished(orphaned: Database) -> None:
    """``--sample 0`` names no key at all."""
    status, out, _ = await run_command(orphaned.url, "diagnose", *NAMED, "--json", "--sample", "0")
    (reference,) = json.loads(out)["references"]

    assert (status, reference["orphans"]) == (3, 3)
    assert {each["reason"]: each["sample"] for each in reference["by_reason"]} == {"healable": [], "erased": [], "unknown": []}


async def test_verify_prints_a_line_for_each_check(whole: Database) -> None:
    """All hold: exit 0, and nothing to say when it is to be quiet."""
    status, out, _ = await run_command(whole.url, "verify", *NAMED)
    quiet = await run_command(whole.url, "verify", *NAMED, "--quiet")

    assert [line.split()[:2] for line in out.splitlines()] == [
        ["holds", name] for name in ("profiles_complete", "no_orphans", "key_present", "key_validated", "key_indexed")
    ]
    assert (status, *quiet) == (0, 0, "", "")


async def test_verify_of_orphans_exits_3(orphaned: Database) -> None:
    """Quietly: only what does not hold, the index that only warns included."""
    status, out, _ = await run_command(orphaned.url, "verify", *NAMED, "--quiet")

    assert status == 3
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["fails", "profiles_complete"],
        ["fails", "no_orphans"],
        ["fails", "key_present"],
        ["warns", "key_indexed"],
    ]


async def test_strict_verify_wants_an_index(whole: Database) -> None:
    """Without ``--strict`` that is a warning, and passes."""
    await (await whole.connect()).execute("drop index public.orders_by_user")
    lenient, _, _ = await run_command(whole.url, "verify", *NAMED)
    strict, out, _ = await run_command(whole.url, "verify", *NAMED, "--strict", "--json")

    assert (lenient, strict, json.loads(out)["holds"]) == (0, 3, False)


async def test_sample_application_is_verified_as_attached(database: Database) -> None:
    """Nobody has to name what a profile source knows; one more reference may be named."""
    more = ("--reference", "chat_messages.conversation_id=conversations.id")
    status, out, err = await run_command(database.url, "verify", *more)

    assert (status, err) == (0, "")
    assert "holds   no_orphans         chat_messages.conversation_id=conversations.id" in out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 31, "--users TABLE[.KEY]"),
        (("--users", "users"), 31, "--profiles"),
        (("--erased-when", "true"), 31, "--users"),
        (("--users", "nobody", "--profiles", "profiles"), 30, "there is no table nobody"),
        ((*NAMED, "--reference", "orders.nothing=profiles.id"), 30, "there is no column orders.nothing"),
        (("--users", "users", "--profiles", "profiles", "--erased-when", "users."), 32, "syntax error"),
        ((*NAMED, "--reference", "orders.user_id"), 2, "not of the form orders.user_id=profiles.id"),
        ((*NAMED, "--statement-timeout", "0"), 2, "no number of seconds"),
    ],
)
@pytest.mark.parametrize("command", ["diagnose", "verify"])
async def test_wrong_wish_is_refused_with_a_reason(
    orphaned: Database, command: str, arguments: tuple[str, ...], status: int, said: str
) -> None:
    """Before anything is counted, with the exit status of the documents."""
    ended, out, err = await run_command(orphaned.url, command, *arguments)

    assert (ended, out) == (status, "")
    assert said in err
