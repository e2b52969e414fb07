"""A proposal: its conditions, what differs from what is attached, and the SQL that it becomes."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.support.catalogs import column, foreign_key, plain_catalog, proposed, table
from worker.core.catalog import Catalog, Guard, Source, Writer
from worker.core.proposal import Proposal, Surroundings
from worker.core.rendering import body, render, told_count
from worker.core.telling import as_data, done

TOKENS = re.compile(r"--[^\n]*|E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|\$(\w+)\$.*?\$\1\$", re.DOTALL)
"""Comments and literals, as Postgres reads them."""
ATTACHES = (
    "select pgmend.attach_source( users_table => ?, users_key => ?, profiles_table => ?, profiles_key => ?, recipe => ?, "
    "eligible_when => ?, erased_when => ? )"
)
ORDERS = foreign_key("public.orders", "user_id", "public.profiles")
AROUND = Surroundings("shop", "owner", 3)
ENSURED = {"guards": {"orders_user_id_fkey": "ensure"}}
GONE = {"guards": {"orders_user_id_fkey": "none"}}
ATTACHED = Source(1, "public.users", "id", "public.profiles", "id", {"email": "users.email"})


def again(*, source: Source = ATTACHED, guards: tuple[Guard, ...] = (), wishes: Mapping[str, object] | None = None) -> Proposal:
    """Return what is proposed for an application that is attached already."""
    catalog = plain_catalog("email text !", keys=(ORDERS,))
    return proposed(replace(catalog, sources=(source,), guards=guards), **(wishes or {}))


@pytest.mark.parametrize(
    ("wanted", "condition"),
    [
        ("deleted_at timestamp with time zone", "users.deleted_at is not null"),
        ("deletedAt timestamp without time zone", 'users."deletedAt" is not null'),
        ("is_deleted boolean !", "users.is_deleted"),
        ("deleted date", "users.deleted is not null"),
        ("deleted daterange", "false"),
        ("banned_at timestamp with time zone", "false"),
    ],
)
def test_erased_is_who_the_users_table_calls_deleted(wanted: str, condition: str) -> None:
    """A column that says so by its name and its type, and no other."""
    users = table("public.users", "id uuid !", wanted)

    assert proposed(plain_catalog(users=users)).erased.text == condition


def test_anonymous_users_are_eligible_and_the_comment_says_how_to_leave_them_out() -> None:
    """A guess about whom the application wants is not made in silence."""
    eligible = proposed(plain_catalog(users=table("public.users", "id uuid !", "is_anonymous boolean !"))).eligible

    assert eligible.text == "true"
    assert "not users.is_anonymous" in eligible.reason


def test_what_is_attached_stays_as_it_is_where_nothing_else_is_wished() -> None:
    """Neither a recipe nor a condition that a person wrote is drafted anew."""
    source = replace(ATTACHED, recipe={"email": "lower(users.email)"}, eligible_when="users.email <> ''", erased_when="true")
    proposal = again(source=source, guards=(Guard(1, "public.orders", "orders_user_id_fkey", "report"),))

    assert proposal.differences == ()
    assert "begin" not in render(proposal, AROUND)


@pytest.mark.parametrize(
    ("wishes", "difference"),
    [
        ({"recipe": {"email": "lower(users.email)"}}, "the recipe of email: users.email becomes lower(users.email)"),
        ({"recipe": {"email": None}}, "the recipe of email: users.email becomes none"),
        ({"eligible_when": "users.email <> ''"}, "eligible_when: true becomes users.email <> ''"),
        ({"erased_when": "true"}, "erased_when: false becomes true"),
    ],
)
def test_difference_from_what_is_attached_is_said(wishes: dict[str, object], difference: str) -> None:
    """Before it is applied one reads what was, and what will be."""
    proposal = again(wishes=wishes)

    assert proposal.differences == (difference,)
    assert f"differs   {difference}" in render(proposal, AROUND)


def test_guard_of_another_mode_keeps_its_other_settings() -> None:
    """A changed mode loses neither the replay function nor the grace."""
    guard = Guard(1, "public.orders", "orders_user_id_fkey", "report", "public.again", "CONVERSATION_RETRIED", "00:00:05")
    text = body(again(guards=(guard,), wishes=ENSURED), AROUND)

    assert "replay_function => 'public.again(jsonb)', replayed_error_type => 'CONVERSATION_RETRIED'" in text
    assert "unknown_user_grace => '00:00:05'" in text
    assert "attach_source" not in text


def test_guard_that_is_wished_away_is_taken_off() -> None:
    """`none` is a mode, too."""
    guard = Guard(1, "public.orders", "orders_user_id_fkey", "ensure")

    assert "select pgmend.unguard('public.orders', 'orders_user_id_fkey');" in body(again(guards=(guard,), wishes=GONE), AROUND)


def test_file_is_one_transaction_that_waits_for_no_lock_for_long() -> None:
    """It can be pasted as it is."""
    text = render(proposed(plain_catalog("email text !", keys=(ORDERS,))), AROUND)
    statements = [line for line in text.splitlines() if line and not line.startswith(("--", " ", ")"))]

    assert statements == [
        "begin;",
        "set local lock_timeout = '500ms';",
        "select pgmend.attach_source(",
        "select pgmend.guard('public.orders', 'orders_user_id_fkey', mode => 'ensure');",
        "commit;",
    ]


def test_grants_are_comments_until_they_are_wished() -> None:
    """Who may write is shown; nobody is given a right unasked."""
    writers = [Writer(name, is_everybody=name == "public", tables=("public.orders",)) for name in ("app", "public")]
    around = replace(AROUND, writers=tuple(writers))
    proposal = proposed(plain_catalog(keys=(ORDERS,)))

    assert "\n-- select pgmend.grant_captures('app');  -- public.orders" in body(proposal, around)
    assert "grant_captures('public')" not in body(proposal, around)
    assert "\nselect pgmend.grant_captures('app');" in body(replace(proposal, grants=("app",)), around)


def test_hostile_names_become_neither_statements_nor_the_end_of_a_comment() -> None:
    """A schema is not trusted to be named kindly."""
    hostile = "x'; drop table y; --\n$recipe$ \\"
    users = table("public.users", "id uuid !", column(f"{hostile}a text !"))
    profiles = table("public.profiles", "id uuid !", column(f"{hostile}a text !"), column("b text !", default=f"'{hostile}'"))
    key = foreign_key(f"public.{hostile}", "user_id", "public.profiles")
    link = foreign_key("public.profiles", "id", "public.users")
    text = body(proposed(Catalog((users, profiles), (link, key))), AROUND)

    bare = TOKENS.sub(lambda token: "" if token[0].startswith("--") else "?", text)

    assert [" ".join(line.split()) for line in bare.split(";") if line.strip()] == [
        "set local lock_timeout = ?",
        ATTACHES,
        "select pgmend.guard(?, ?, mode => ?)",
    ]


@pytest.mark.parametrize(
    ("lacking", "words"),
    [(None, "could not be counted"), (0, "every user"), (1, "1"), (10_000, "10,000"), (10_001, "more than 10,000")],
)
def test_count_says_what_it_knows(lacking: int | None, words: str) -> None:
    """A count that was broken off does not pretend to be one."""
    assert words in told_count(lacking)


def test_data_and_words_say_the_same_as_the_sql() -> None:
    """A program reads what a person reads."""
    proposal = proposed(plain_catalog("email text !", "username text !", keys=(ORDERS,)))
    data = as_data(proposal, AROUND)

    assert (data["undecided"], data["users_without_profile"]) == (["username"], 3)
    assert data["guards"][0] | {"reason": ""} == {
        "table": "public.orders",
        "constraint": "orders_user_id_fkey",
        "mode": "ensure",
        "reason": "",
        "changes": True,
    }
    assert data["sql"] == render(proposal, AROUND)
    assert list(done(proposal))[1] == "guarded public.orders orders_user_id_fkey: ensure"


def test_what_would_go_wrong_is_said_at_the_head() -> None:
    """A column to decide, a missing right with its grant, and a table whose rows are hidden from the role that heals."""
    catalog = plain_catalog("email text !", "username text !")
    users, profiles = catalog.tables
    around = replace(AROUND, missing_rights=("trigger on table public.users",))
    head = render(proposed(replace(catalog, tables=(replace(users, hides_rows=True), profiles))), around).partition("begin;")[0]

    assert "open      username: only you can decide" in head
    assert "grant trigger on table public.users to owner" in head
    assert "row security of public.users holds for owner" in head
