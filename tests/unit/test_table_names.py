"""Names of tables: what orphans in one are called, and which columns are named like a reference."""

import re
from pathlib import Path

import pytest

from worker.core.table_names import likely_columns, orphan_type, role_columns, shown, singular

DOCUMENT = Path(__file__).parents[2] / "docs" / "error_types.md"


@pytest.mark.parametrize(
    ("table", "noun"),
    [
        ("orders", "ORDER"),
        ("public.chat_messages", "CHAT_MESSAGE"),
        ("conversations", "CONVERSATION"),
        ("leads", "LEAD"),
        ('"Order Items"', "ORDER_ITEM"),
        ('shop."OrderItems"', "ORDER_ITEM"),
        ('"a.b"."User""s Addresses"', "USER_S_ADDRESS"),
        ("order_history", "ORDER_HISTORY"),
        ("HTTPCalls", "HTTP_CALL"),
        ("orders_2024", "ORDERS_2024"),
        ("straße", "STRASSE"),
        ('"---"', "ROW"),
    ],
)
def test_orphans_are_named_after_their_table(table: str, noun: str) -> None:
    """The singular of the name in upper case, whatever schema, quotes and spelling it has."""
    assert orphan_type(table) == f"ORPHANED_{noun}_DETECTED"


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("companies", "company"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("batches", "batch"),
        ("purchases", "purchase"),
        ("houses", "house"),
        ("statuses", "status"),
        ("heroes", "hero"),
        ("people", "person"),
        ("movies", "movie"),
        ("series", "series"),
        ("status", "status"),
        ("address", "address"),
        ("ties", "tie"),
        ("order", "order"),
    ],
)
def test_plurals_become_singulars(plural: str, one: str) -> None:
    """English as tables have it; a word that is no plural stays as it is."""
    assert singular(plural) == one


def test_columns_are_likely_by_the_names_of_the_tables() -> None:
    """Snake and camel, for users and for profiles."""
    assert likely_columns('auth."AppUsers"', "public.profiles") == ("app_user_id", "appUserId", "profile_id", "profileId")


def test_role_that_has_a_table_of_its_own_refers_to_that() -> None:
    """Where there are customers, customer_id is theirs; sender_id still speaks of a user."""
    assert "customer_id" not in role_columns(["customers"])
    assert {"sender_id", "senderId", "created_by"} <= set(role_columns(["customers"]))


def test_schema_public_goes_without_saying() -> None:
    """Any other schema is shown."""
    assert (shown("public.orders"), shown("shop.orders")) == ("orders", "shop.orders")


def test_names_in_the_document_are_those_of_the_code() -> None:
    """The table of examples in docs/error_types.md is what the function returns."""
    rows = re.findall(r"^\| `([^`]+)` \| `(ORPHANED_\w+)` \|$", DOCUMENT.read_text(), re.MULTILINE)

    assert len(rows) >= 5
    assert [(table, orphan_type(table)) for table, _ in rows] == rows
