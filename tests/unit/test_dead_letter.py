"""Dead letters: whether something is named that refused them, or code must have raised it."""

from datetime import UTC, datetime

import pytest

from worker.core.dead_letter import DeadLetter
from worker.core.decision import needs_recipe
from worker.core.failure import Failure

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = "fk_orders_user_id"


@pytest.mark.parametrize(
    ("verdict", "sqlstate", "constraint", "captured_on", "is_nameless"),
    [
        ("needs_recipe", "P0001", None, None, True),
        ("needs_recipe", "23514", "profiles_name_is_short", None, False),
        ("needs_recipe", "P0001", KEY, KEY, True),
        ("needs_recipe", "PM003", None, None, True),
        ("refused", "23514", KEY, KEY, True),
        ("refused", "23514", "orders_amount_is_large", KEY, False),
        ("refused", "23503", KEY, KEY, False),
        ("refused", "PM002", KEY, KEY, False),
        ("unknown_user", "23503", KEY, KEY, False),
        ("exhausted", "55P03", None, None, False),
    ],
)
def test_letter_is_nameless_where_code_raised_it(
    verdict: str, sqlstate: str, constraint: str | None, captured_on: str | None, *, is_nameless: bool
) -> None:
    """The captured key stands for a constraint where none was named: it is taken for one only where a key was violated."""
    letter = DeadLetter(1, 1, "any", "ada", verdict, "", "", 1, NOON, NOON, sqlstate, constraint, constraint_name=captured_on)

    assert letter.is_nameless is is_nameless


@pytest.mark.parametrize(
    ("failure", "begins"),
    [
        (Failure("P0001", "raised"), "A trigger or function of the application raises P0001 when the profile is made."),
        (Failure("42883", "no such function"), "A trigger, a function or an expression of the recipe raises 42883"),
        (Failure("23514", "too long", "is_short"), "The recipe builds a profile that is_short refuses."),
        (Failure("23502", "null", None, "name"), "The recipe builds a profile that name refuses."),
    ],
)
def test_hint_asks_for_no_recipe_that_an_sqlstate_accepts(failure: Failure, begins: str) -> None:
    """A constraint or a column can be pleased; what raises has to be found, and its words are in the server's log."""
    hint = needs_recipe(failure).hint

    assert hint.startswith(begins)
    assert ("server's log" in hint) is (failure.constraint is None and failure.column is None)
