"""Shapes of applications: how users, profiles and a referencing table may look, each as small as it can be."""

import json
from dataclasses import dataclass

from tests.support.database import count
from worker.store.connection import Connection

USERS = "create table shape.users (id uuid primary key default gen_random_uuid(), email text);"
PROFILES = "create table shape.profiles (id uuid primary key references shape.users (id), name text not null);"
NAMED = {"name": "split_part(users.email, '@', 1)"}


@dataclass(frozen=True, slots=True)
class Shape:
    """``tables`` go into the schema shape. ``row`` is what the application inserts, with ``%s`` for the user's key.

    ``stands``: what is left of a stored row, as text, whoever stored it. ``constraint`` is the guarded key.
    """

    tables: str
    row: str = '{"user_id": "%s", "content": "hi"}'
    stands: str = "content"
    table: str = "shape.notes"
    constraint: str = "notes_user_id_fkey"
    users: str = "shape.users"
    users_key: str = "id"
    profiles: str = "shape.profiles"
    profiles_key: str = "id"
    recipe: dict[str, str] | None = None
    recipe_function: str | None = None
    sign_up: str = "insert into shape.users (email) values ('ada@example.org') returning id::text"
    unknown_key: str = "00000000-0000-0000-0000-000000000000"

    async def build(self, connection: Connection) -> None:
        """Make the tables, and attach them."""
        await connection.execute(f"create schema shape; {self.tables}")
        recipe = {} if self.recipe_function else NAMED if self.recipe is None else self.recipe
        await connection.execute(
            """
            select pgmend.attach_source(
                $1::text::regclass, $2::text::regclass, $3, $4, $5, recipe_function => $6::text::regprocedure
            )
            """,
            *(self.users, self.profiles, json.dumps(recipe), self.users_key, self.profiles_key, self.recipe_function),
        )

    async def guard(self, connection: Connection, mode: str) -> None:
        """Guard the key."""
        await connection.execute("select pgmend.guard($1::text::regclass, $2, mode => $3)", self.table, self.constraint, mode)

    async def insert(self, connection: Connection, key: str) -> str | None:
        """Insert as the application does; return what RETURNING gives, or None where no row comes back."""
        columns = ", ".join(f'"{column}"' for column in json.loads(self.row % key))
        row = f"jsonb_populate_record(null::{self.table}, $1)"
        query = f"insert into {self.table} ({columns}) select {columns} from {row} returning ({self.stands})::text"
        returned: str | None = await connection.fetchval(query, self.row % key)
        return returned

    async def park(self, connection: Connection, key: str) -> str:
        """Insert through the capture; return ``stored`` or ``parked``."""
        query = f"select pgmend.insert_or_park('{self.table}', $1) ->> 'status'"
        return str(await connection.fetchval(query, self.row % key))

    async def report(self, connection: Connection, key: str) -> str:
        """Report an insert that failed; return ``parked``."""
        await connection.fetchval(f"select pgmend.report_failed_insert('{self.table}', $1)", self.row % key)
        return "parked"

    async def stored(self, connection: Connection) -> list[str]:
        """Return what is left of each stored row."""
        return [row[0] for row in await connection.fetch(f"select ({self.stands})::text from {self.table}")]

    async def profiles_of(self, connection: Connection, key: str) -> int:
        """Return how many profiles a user has."""
        return await count(connection, f'{self.profiles} where "{self.profiles_key}"::text = $1', key)


NOTES = """
    create table shape.notes (
        id int generated always as identity primary key, user_id uuid not null references shape.profiles (id), content text
    );
"""
PARTITIONED = """
    create table shape.notes (
        user_id uuid not null constraint notes_user_id_fkey references shape.profiles (id),
        content text, at date default '2026-02-02'
    )
"""
WORKSPACE = """
    create table shape.workspaces (id int generated always as identity primary key, name text not null);
    create table shape.profiles (
        id uuid primary key references shape.users (id), workspace_id int not null references shape.workspaces (id)
    );
    create function shape.make_profile(user_key uuid) returns void language sql as $$
        with workspace as (
            insert into shape.workspaces (name) select users.email from shape.users where users.id = user_key returning id
        )
        insert into shape.profiles select user_key, workspace.id from workspace
    $$;
"""
OVERWRITTEN = """
    create function shape.tidy() returns trigger language plpgsql as
    $$ begin new.content := upper(new.content); new.user_id := lower(new.user_id::text)::uuid; return new; end $$;
    create trigger tidy before insert on shape.notes for each row execute function shape.tidy();
"""

SHAPES = {
    "plain": Shape(USERS + PROFILES + NOTES),
    "text ids": Shape(
        """
        create table shape.users (id text primary key, email text);
        create table shape.profiles (id text primary key references shape.users (id), name text not null);
        create table shape.notes (user_id text constraint notes_user_id_fkey references shape.profiles (id), content text);
        """,
        sign_up="insert into shape.users values ('usr 1''s', 'ada@example.org') returning id",
        unknown_key="usr 2",
    ),
    "camel case": Shape(
        """
        create table shape."User" ("id" text primary key default 'ck' || md5(random()::text), "eMail" text);
        create table shape."Profile" (
            "id" int generated by default as identity primary key, "userId" text not null unique references shape."User",
            "displayName" text not null
        );
        create table shape."Post" (
            "id" int generated by default as identity primary key,
            "authorId" text not null constraint "Post_authorId_fkey" references shape."Profile" ("userId"), "Title" text
        );
        """,
        row='{"authorId": "%s", "Title": "hi"}',
        stands='"Title"',
        table='shape."Post"',
        constraint="Post_authorId_fkey",
        users='shape."User"',
        profiles='shape."Profile"',
        profiles_key="userId",
        recipe={"displayName": 'users."eMail"'},
        sign_up="""insert into shape."User" ("eMail") values ('ada@example.org') returning "id" """,
    ),
    "composite key with a generated column": Shape(
        USERS
        + """
        create table shape.profiles (id uuid primary key, kind text not null default 'customer', name text, unique (kind, id));
        create table shape.notes (
            kind text generated always as ('customer') stored, user_id uuid not null, content text,
            constraint notes_user_id_fkey foreign key (kind, user_id) references shape.profiles (kind, id)
        );
        """,
        stands="kind || content",
    ),
    "partitioned by range": Shape(
        USERS
        + PROFILES
        + PARTITIONED
        + """partition by range (at);
        create table shape.notes_2026 partition of shape.notes for values from ('2026-01-01') to ('2027-01-01');
        create table shape.notes_else partition of shape.notes default;
        """,
    ),
    "partitioned by hash": Shape(
        USERS
        + PROFILES
        + PARTITIONED
        + """partition by hash (user_id);
        create table shape.notes_0 partition of shape.notes for values with (modulus 2, remainder 0);
        create table shape.notes_1 partition of shape.notes for values with (modulus 2, remainder 1);
        """,
    ),
    "partition with a key of another name": Shape(
        USERS
        + PROFILES
        + PARTITIONED
        + """partition by range (at);
        create table shape.notes_2026 (user_id uuid not null, content text, at date);
        alter table shape.notes_2026 add constraint older_name foreign key (user_id) references shape.profiles (id);
        alter table shape.notes attach partition shape.notes_2026 for values from ('2026-01-01') to ('2027-01-01');
        """,
    ),
    "partial unique indexes on profiles": Shape(
        USERS
        + """
        create table shape.profiles (id uuid primary key, name text not null, closed_at date);
        create unique index on shape.profiles (name) where closed_at is null;
        create unique index on shape.profiles (id) where closed_at is null;
        """
        + NOTES,
    ),
    "username unique and checked": Shape(
        USERS
        + r"""
        create table shape.profiles (id uuid primary key, username text not null unique check (username ~ '^\w{3,20}$'));
        """
        + NOTES,
        recipe={"username": "'user_' || left(users.id::text, 8)"},
    ),
    "workspace first": Shape(USERS + WORKSPACE + NOTES, recipe_function="shape.make_profile(uuid)"),
    "profiles with an id of their own": Shape(
        USERS
        + """
        create table shape.profiles (
            id int generated always as identity primary key, user_id uuid not null unique references shape.users (id), name text
        );
        create table shape.notes (user_id uuid constraint notes_user_id_fkey references shape.profiles (user_id), content text);
        """,
        profiles_key="user_id",
    ),
    "trigger that changes the row and its key": Shape(USERS + PROFILES + NOTES + OVERWRITTEN),
    "identity and generated columns": Shape(
        USERS
        + PROFILES
        + """
        create table shape.notes (
            number int generated always as identity (start 7), user_id uuid references shape.profiles (id), content text,
            shout text generated always as (upper(content) || '!') stored
        );
        """,
        stands="shout",
    ),
}
