"""The row image: a captured row means the same wherever it is printed, kept and replayed."""

import json

import pytest

from tests.support.database import Database, count, sign_up
from tests.support.outbox import dead_letters
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

KEEPSAKES = """
    create type public.colour as enum ('red', 'deep blue');
    create type public.size as (width int, label text);
    create domain public.nickname as text check (length(value) < 20);
    create table public.twin (
        id int primary key, user_id uuid not null, day date, forever date, at timestamptz, at_local timestamp, clock timetz,
        lasts interval, f8 float8, f4 float4, n numeric, n2 numeric(12, 2), nan numeric, raw bytea, short char(5),
        narrow varchar(9), bits bit(3), during tstzrange, span int4range, colour public.colour, nick public.nickname,
        size public.size, numbers int[], grid int[], words text[], days date[], doc jsonb, no_doc jsonb, text_doc json,
        spot point, address inet, "Quoted Name" text
    );
    create table public.keepsakes (
        like public.twin including all,
        constraint keepsakes_user_id_fkey foreign key (user_id) references public.profiles (id)
    );
    select pgmend.guard('public.keepsakes', 'keepsakes_user_id_fkey');
"""
ROW = {
    "id": 1,
    "day": "03.04.2025",
    "forever": "infinity",
    "at": "03.04.2025 10:00:00",
    "at_local": "03.04.2025 10:00:00.123456",
    "clock": "10:00:00",
    "lasts": "-1 2:03:04.5",
    "f8": "0.1234567890123456789",
    "f4": 0.1,
    "n": "123456789.12345678901234567890123456789000",
    "n2": 1.005,
    "nan": "NaN",
    "raw": "\\000\\377a",
    "short": "ab ",
    "narrow": "ab ",
    "bits": "101",
    "during": '["03.04.2025 00:00","04.04.2025 00:00")',
    "span": "[1,5]",
    "colour": "deep blue",
    "nick": 'O\'Neil "N" \\',
    "size": {"width": 3, "label": "a, (b)"},
    "numbers": "[2:4]={7,NULL,9}",
    "grid": [[1, 2], [3, 4]],
    "words": ["", "NULL", None, 'a"b', "{c,d}", "\u00e9\n"],
    "days": ["03.04.2025"],
    "doc": {"a": None, "b": [1.10, "\u2603"], "c": "null"},
    "no_doc": None,
    "text_doc": {"b": 1, "a": [None]},
    "spot": "(0.1,1e-7)",
    "address": "10.0.0.1/8",
    "Quoted Name": "x",
}
WRITERS_STYLE = """
    set datestyle = 'German'; set intervalstyle = 'sql_standard'; set extra_float_digits = 0;
    set timezone = 'Asia/Kolkata'; set bytea_output = 'escape'
"""
WORKERS_STYLE = """
    set datestyle = 'SQL, MDY'; set intervalstyle = 'postgres_verbose'; set extra_float_digits = -3;
    set timezone = 'America/New_York'; set bytea_output = 'escape'
"""


async def writer_with_style(database: Database, path: Path) -> Connection:
    """Give the worker's session one style; return a writer's session with another."""
    await path.connection.execute(WORKERS_STYLE)
    session = await database.connect()
    await session.execute(WRITERS_STYLE)
    return session


async def test_every_value_stands_as_the_same_insert_would_have_stored_it(
    database: Database, connection: Connection, path: Path
) -> None:
    """Dates, intervals, floats, bytes, arrays, ranges and all: what session printed or replayed them makes no difference."""
    await connection.execute(KEEPSAKES)
    session = await writer_with_style(database, path)
    row = json.dumps({**ROW, "user_id": await sign_up(connection)})
    await session.execute("insert into public.twin select * from jsonb_populate_record(null::public.twin, $1)", row)
    assert '"parked"' in await session.fetchval("select pgmend.insert_or_park('public.keepsakes', $1)", row)

    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    stored = await connection.fetchval("select kept::text from public.keepsakes as kept")
    assert stored == await connection.fetchval("select twin::text from public.twin")


async def test_captured_row_is_recognised_whatever_the_sessions_styles(
    database: Database, connection: Connection, path: Path
) -> None:
    """A writer who has stored the row himself meanwhile made no conflict, though the worker would print it otherwise."""
    await connection.execute(KEEPSAKES)
    session = await writer_with_style(database, path)
    row = json.dumps({**ROW, "user_id": await sign_up(connection)})
    await session.execute("select pgmend.insert_or_park('public.keepsakes', $1)", row)
    await pipeline.express(path)
    await session.execute("insert into public.keepsakes select * from jsonb_populate_record(null::public.keepsakes, $1)", row)

    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, "pgmend.outbox") == 0


async def test_value_for_which_the_column_became_too_narrow_is_not_cut(connection: Connection, path: Path) -> None:
    """A column that was narrowed after the capture refuses the row, as it refuses any insert; nothing is truncated."""
    row = json.dumps({"user_id": await sign_up(connection), "source": "newsletter"})
    await connection.execute("select pgmend.insert_or_park('public.leads', $1)", row)
    await connection.execute("alter table public.leads alter source type varchar(4)")

    await pipeline.turn(path)

    assert await dead_letters(connection) == [("refused", "22001")]


async def test_generated_columns_are_computed_and_identities_kept(connection: Connection, path: Path) -> None:
    """A reported row may be the whole row: the identity that the application knows it by stays, what is derived is derived."""
    await connection.execute(
        """
        alter table public.leads add column number int generated always as identity,
            add column shout text generated always as (upper(source)) stored
        """
    )
    row = json.dumps({"user_id": await sign_up(connection), "source": "web", "number": 41, "shout": "stale"})
    await connection.execute("select pgmend.report_failed_insert('public.leads', $1)", row)

    await pipeline.turn(path)

    assert await connection.fetchval("select shout || number from public.leads") == "WEB41"


async def test_null_that_was_given_is_no_default(connection: Connection, path: Path) -> None:
    """An absent column takes its default at replay; a null that the writer gave stays null."""
    await connection.execute("alter table public.leads add column a text default 'a', add column b text default 'b'")
    row = json.dumps({"user_id": await sign_up(connection), "source": "web", "a": None})
    await connection.execute("select pgmend.insert_or_park('public.leads', $1)", row)

    await pipeline.turn(path)

    assert await connection.fetchval("select array[a, b] from public.leads") == [None, "b"]


@pytest.mark.parametrize("change", ["drop column source", "rename column source to origin"])
async def test_column_that_is_gone_at_replay_is_named_by_the_dead_letter(connection: Connection, path: Path, change: str) -> None:
    """A value for which there is no place any more is not left out in silence."""
    row = json.dumps({"user_id": await sign_up(connection), "source": "web"})
    await connection.execute("select pgmend.insert_or_park('public.leads', $1)", row)
    await connection.execute(f"alter table public.leads {change}")

    await pipeline.turn(path)

    letter = await connection.fetchrow("select verdict, sqlstate, message from pgmend.dead_letters")
    assert tuple(letter or ()) == ("refused", "PM002", "the table public.leads has no column source")


async def test_column_that_is_new_at_replay_takes_its_default(connection: Connection, path: Path) -> None:
    """What the writer could not give is what any insert of today that does not give it gets, computed columns included."""
    row = json.dumps({"user_id": await sign_up(connection), "source": "web"})
    await connection.execute("select pgmend.insert_or_park('public.leads', $1)", row)
    await connection.execute(
        """
        alter table public.leads add column rank int not null default 7,
            add column shout text generated always as (upper(source)) stored,
            add column number int generated always as identity (start 41)
        """
    )

    await pipeline.turn(path)

    assert await connection.fetchval("select rank || shout || number from public.leads") == "7WEB41"


@pytest.mark.parametrize(
    ("kind", "stored", "letters"), [("numeric", ["1"], []), ("uuid", [], [("refused", "22P02")])], ids=["numeric", "uuid"]
)
async def test_column_of_another_type_at_replay_takes_what_it_can_read(
    connection: Connection, path: Path, kind: str, stored: list[str], letters: list[tuple[str, str]]
) -> None:
    """The captured text is read by the type that the column has then: one takes it, another says that it cannot."""
    row = json.dumps({"user_id": await sign_up(connection), "source": "1"})
    await connection.execute("select pgmend.insert_or_park('public.leads', $1)", row)
    await connection.execute(f"alter table public.leads alter source type {kind} using null")

    await pipeline.turn(path)

    assert [lead["source"] for lead in await connection.fetch("select source::text from public.leads")] == stored
    assert await dead_letters(connection) == letters
