"""The files for an SQL editor answer as the commands do."""

import re
import uuid
from pathlib import Path

import pytest

from tests.support.database import Database, sign_up
from tests.support.surveyed import surveyed
from worker.core.diagnosis import Diagnosis
from worker.core.verification import checks
from worker.store.connection import Connection
from worker.store.statements import sql_directory

OPERATIONS = sql_directory() / "operations"
AUDITED = """
    select user_id as user_key from pgmend.audit_entries
    where error_type in ('MISSING_PROFILE_CREATED', 'ERASED_USER_EVENT_DROPPED')
"""
NOBODY_KNOWN = "select null::text as user_key\n    where false"
KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
UUIDS = (
    *(f"{KEY}", f"{KEY}".upper(), f"{{{KEY}}}", KEY.hex, f"{{{KEY.hex.upper()}}}", f"  {KEY} ", f"\t{{{KEY}}}\n"),
    *("a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}"),
)
NO_UUIDS = (
    *("", "legacy-40", f"{{{KEY}", f"{KEY}}}", f"{KEY}-", f"-{KEY}", f"{KEY.hex}0", KEY.hex[1:], f"{{ {KEY} }}"),
    *("a0e-ebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0ee--bc999c0b4ef8bb6d6bb9bd380a11", f"{KEY} {KEY}", f"{KEY}".replace("a", "g")),
)
"""Spellings of one uuid that ``uuid_in`` takes, white space around them set aside, and what it refuses."""
LOOSE = """
    set session_replication_role = replica;
    alter table public.leads drop constraint leads_user_id_fkey;
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id) not valid;
    drop index public.leads_by_user
"""


@pytest.fixture
async def orphaned(connection: Connection) -> Connection:
    """The sample application with orphans of every reason that uuids can have, in all four tables."""
    await connection.execute(LOOSE)
    keys = {name: await sign_up(connection, f"{name}@x") for name in ("healable", "erased", "whole", "gone")}
    await connection.execute("update public.users set deleted_at = now() where id = $1", keys["erased"])
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", keys["whole"])
    await connection.execute("delete from public.users where id = $1", keys["gone"])
    await connection.execute(
        "insert into public.error_logs (error_type, severity, user_id, message) "
        "values ('MISSING_PROFILE_CREATED', 'info', $1, '')",
        keys["gone"],
    )
    known = [*keys.values(), keys["healable"], str(uuid.uuid4())]
    await connection.execute("insert into orders (user_id, amount) select unnest($1::uuid[]), 1", known)
    await connection.execute("insert into leads (user_id, source) select unnest($1::uuid[]), 'x'", known[:3])
    await connection.execute("insert into chat_messages (sender_id, content) select unnest($1::uuid[]), 'x'", known[2:])
    await connection.execute("insert into conversations (customer_id, admin_id) values ($1, $2)", known[0], known[2])
    return connection


def text_of(name: str) -> str:
    """Return the text of a file, and see that any SQL editor takes it."""
    text = (OPERATIONS / name).read_text()
    assert not any(line.startswith("\\") for line in text.splitlines())
    return text


def column(name: str) -> str:
    """Return a reference as the files write it: ``public.orders.user_id``."""
    return f"public.{name.partition('=')[0]}"


async def test_diagnosis_counts_what_the_command_counts(orphaned: Connection, database: Database) -> None:
    """Orphans, distinct keys, first and last seen, by column and reason, with the audit in its place."""
    text = text_of("diagnose.sql")
    assert NOBODY_KNOWN in text
    rows = await orphaned.fetch(text.replace(NOBODY_KNOWN, AUDITED))
    diagnosis = await surveyed(database.url, None)

    found = {
        (row["subject"], row["what"]): (row["finding"], row["distinct_keys"], row["first_seen"])
        for row in rows
        if row["part"] == 4
    }
    assert found == {
        (column(it.name), f"orphans, {tally.reason}"): (str(tally.orphans), tally.keys, tally.first_seen)
        for it in diagnosis.examined
        for tally in it.tallies
    }
    assert {what for _, what in found} == {f"orphans, {reason}" for reason in ("healable", "erased", "gone", "unknown")}


async def test_diagnosis_without_an_audit_takes_the_gone_for_unknown(orphaned: Connection) -> None:
    """As it stands the file needs nothing of pgmend."""
    rows = await orphaned.fetch(text_of("diagnose.sql"))
    found = {row["what"]: row["finding"] for row in rows if row["subject"] == "public.orders.user_id" and row["part"] == 4}

    assert found == {"orphans, healable": "2", "orphans, erased": "1", "orphans, unknown": "2"}


async def test_diagnosis_describes_what_the_command_describes(orphaned: Connection, database: Database) -> None:
    """Coverage, columns, constraints, keys and indexes."""
    answers = {(row["subject"], row["what"]): row["finding"] for row in await orphaned.fetch(text_of("diagnose.sql"))}
    diagnosis = await surveyed(database.url, None)
    (standing,) = diagnosis.standings
    assert standing.coverage is not None

    assert answers["coverage", "eligible users without profile"] == str(standing.coverage.missing)
    assert float(answers["coverage", "eligible users with a profile, percent"]) == standing.coverage.percent
    told = {what.partition(" ")[2] for subject, what in answers if subject == "profiles"}
    assert told == {it.name for it in standing.columns} | {it.name for it in standing.constraints}
    assert key_facts(answers) == {
        column(it.name): (it.reference.constraint_name or "no key", it.index_name or "none") for it in diagnosis.examined
    }


def key_facts(answers: dict[tuple[str, str], str]) -> dict[str, tuple[str, str]]:
    """Return the name of the key and the index that are told of each reference."""
    references = {subject for subject, what in answers if what == "foreign key"}
    keys = {name: answers[name, "foreign key"].partition(" FOREIGN KEY")[0] for name in references}
    return {name: (keys[name], answers[name, "index"]) for name in references}


def as_the_file_says(diagnosis: Diagnosis) -> set[tuple[str, str, str]]:
    """Return the checks of the command as the file names them."""
    return {
        (check.state, check.name, "users" if check.name == "profiles_complete" else column(check.subject))
        for check in checks(diagnosis)
    }


async def test_verification_says_what_the_command_says(orphaned: Connection, database: Database) -> None:
    """Check by check, what does not hold first."""
    rows = await orphaned.fetch(text_of("verify.sql"))

    assert {tuple(row) for row in rows} == as_the_file_says(await surveyed(database.url, None))
    assert [row["state"] == "holds" for row in rows] == sorted(row["state"] == "holds" for row in rows)


@pytest.mark.parametrize("name", ["diagnose.sql", "verify.sql"])
async def test_text_is_read_as_a_uuid_however_the_uuid_is_spelled(connection: Connection, name: str) -> None:
    """By the expression that the head of the file gives for a column of text: as the server does, white space set aside."""
    head = " ".join(line.removeprefix("--").strip() for line in text_of(name).splitlines() if line.startswith("--"))
    advice = re.findall(r"case when user_id .*? end", head)
    rows = await connection.fetch(f"select {advice[0]} as key from unnest($1::text[]) as spelled (user_id)", [*UUIDS, *NO_UUIDS])

    assert len(advice) == 1
    assert [row["key"] for row in rows] == [KEY] * len(UUIDS) + [None] * len(NO_UUIDS)


async def test_verification_of_a_whole_database_holds(connection: Connection, database: Database) -> None:
    """Nothing fails; the one key without an index warns."""
    rows = await connection.fetch(text_of("verify.sql"))

    assert {tuple(row) for row in rows} == as_the_file_says(await surveyed(database.url, None))
    assert [row["name"] for row in rows if row["state"] != "holds"] == ["key_indexed"]


@pytest.mark.parametrize("path", sorted(OPERATIONS.glob("*.sql")), ids=lambda path: path.name)
def test_file_says_first_what_it_is_for(path: Path) -> None:
    """Whoever pastes it has read it."""
    assert path.read_text().startswith("-- ")
