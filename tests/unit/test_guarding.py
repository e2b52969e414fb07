"""A mode for each key, with the reason; and the keys that are left alone."""

from dataclasses import replace

import pytest

from tests.support.catalogs import foreign_key, plain_catalog, proposed
from worker.core.catalog import Catalog, ForeignKey, Guard, Source
from worker.errors import SourceRefusedError, SourceUnclearError

ORDERS = foreign_key("public.orders", "user_id", "public.profiles")


def chosen(key: ForeignKey, **wishes: object) -> tuple[str, str]:
    """Return mode and reason for a key to the profiles."""
    choices = proposed(plain_catalog(keys=(key,)), **wishes).guards
    return choices[0].mode, choices[0].reason


@pytest.mark.parametrize(
    ("key", "mode", "reason"),
    [
        (ORDERS, "ensure", "plain insert"),
        (replace(ORDERS, is_deferrable=True, is_deferred=True), "ensure", "at COMMIT"),
        (replace(ORDERS, is_deferrable=True), "report", "initially immediate"),
        (replace(ORDERS, owner_is_trusted=False), "report", "belongs to owner"),
        (replace(ORDERS, may_have_a_trigger=False), "report", "no trigger"),
        (replace(ORDERS, is_enforced=False), "none", "not enforced"),
        (replace(ORDERS, is_of_a_partition=True), "none", "one partition"),
        (foreign_key("public.profiles", "inviter_id", "public.profiles"), "none", "to themselves"),
        (foreign_key("public.users", "profile_id", "public.profiles"), "none", "back to their profiles"),
        (foreign_key("public.notes", "profile_no", "public.profiles", "no"), "none", "not the user's key"),
    ],
)
def test_mode_follows_from_the_key_and_says_why(key: ForeignKey, mode: str, reason: str) -> None:
    """The strongest mode that cannot break a write which works today, or none."""
    assert chosen(key)[0] == mode
    assert reason in chosen(key)[1]


@pytest.mark.parametrize("mode", ["report", "park", "none"])
@pytest.mark.parametrize("name", ["orders_user_id_fkey", "public.orders.orders_user_id_fkey"])
def test_wish_decides_the_mode(name: str, mode: str) -> None:
    """A key is named by itself, or with its table."""
    assert chosen(ORDERS, guards={name: mode})[0] == mode


@pytest.mark.parametrize(
    ("key", "mode", "reason"),
    [
        (replace(ORDERS, is_deferrable=True), "ensure", "initially immediate"),
        (replace(ORDERS, is_deferrable=True, is_deferred=True), "park", "deferrable"),
        (replace(ORDERS, owner_is_trusted=False), "ensure", "belongs to"),
        (replace(ORDERS, is_enforced=False), "report", "not enforced"),
    ],
)
def test_wish_that_cannot_be_is_refused_with_the_reason(key: ForeignKey, mode: str, reason: str) -> None:
    """Before anything is printed that would fail later."""
    with pytest.raises(SourceRefusedError) as refused:
        chosen(key, guards={"orders_user_id_fkey": mode})

    assert reason in refused.value.detail


@pytest.mark.parametrize(("name", "what"), [("orders_fk", "no key"), ("twice", "several keys")])
def test_wish_for_an_unclear_key_is_asked_back(name: str, what: str) -> None:
    """The question names the keys that there are."""
    others = [replace(ORDERS, name="twice", referencing_table=f"public.{table}") for table in ("a", "b")]

    with pytest.raises(SourceUnclearError, match=what) as asked:
        proposed(plain_catalog(keys=(ORDERS, *others)), guards={name: "report"})

    assert "public.a.twice, public.b.twice" in asked.value.detail


def test_standing_guard_is_kept_and_changes_nothing() -> None:
    """What a person chose once is not chosen again."""
    catalog = plain_catalog(keys=(ORDERS,))
    source = Source(1, "public.users", "id", "public.profiles", "id", {})
    guard = Guard(1, "public.orders", "orders_user_id_fkey", "report")
    proposal = proposed(replace(catalog, sources=(source,), guards=(guard,)))

    assert proposal.guards[0].mode == "report"
    assert proposal.changes_nothing


def test_profiles_of_two_users_tables_are_guarded_for_neither() -> None:
    """One key cannot say whose profile is missing."""
    catalog = plain_catalog(keys=(ORDERS,))
    source = Source(1, "public.members", "id", "public.profiles", "id", {})
    choice = proposed(Catalog(catalog.tables, catalog.foreign_keys, (source,)), users="users", profiles="profiles").guards[0]

    assert (choice.mode, "public.members" in choice.reason) == ("none", True)
