"""Judgement and wording of a diagnosis: what holds, what does not, and how it is printed."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from worker.commands import diagnose_json, diagnose_view, verify_view
from worker.core.diagnosis import Column, Constraint, Coverage, Diagnosis, Examined, Standing, distinct
from worker.core.orphan_audit import orphans_detected
from worker.core.orphans import REASONS, Tally
from worker.core.reference import People, Reference
from worker.core.verification import Check, checks

PEOPLE = People("public.users", "id", "public.profiles", "id")
REFERENCE = Reference(
    referencing_table="public.orders",
    referencing_columns=("user_id",),
    referencing_types=("uuid",),
    referenced_table="public.profiles",
    referenced_columns=("id",),
    referenced_types=("uuid",),
    constraint_name="fk_orders_user_id",
    is_validated=True,
    on_delete="cascade",
    is_deferrable=False,
    is_partitioned=False,
    is_nullable=False,
)
WHOLE = Examined(REFERENCE, "orders_by_user", "created_at", 10, rows_are_estimated=False)
HEALABLE = Tally("healable", 2, 1, datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, 12, tzinfo=UTC), 0, 0, ("k",))
UNKNOWN = Tally("unknown", 3, 3, datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC), 1, 2)
SICK = replace(WHOLE, tallies=(UNKNOWN, HEALABLE))
KEYLESS = replace(SICK, reference=replace(REFERENCE, constraint_name=None, is_validated=False), index_name=None)
STANDING = Standing(
    PEOPLE,
    (Column("id", "uuid", is_required=True, initial=""),),
    (Constraint("profiles_pkey", "PRIMARY KEY (id)"),),
    Coverage(users=10, erased=1, eligible=9, profiles=8, missing=1),
)


def states(found: Iterable[Check]) -> dict[str, str]:
    """Return the state of each check, by its name."""
    return {check.name: check.state for check in found}


def printed(*examined: Examined, standing: Standing = STANDING) -> str:
    """Return the text of a diagnosis."""
    return "\n".join(diagnose_view.lines(Diagnosis((standing,), examined)))


def test_whole_reference_passes_every_check() -> None:
    """No orphans, a key, validated, indexed; and every eligible user a profile."""
    whole = replace(STANDING, coverage=Coverage(users=10, erased=1, eligible=9, profiles=9, missing=0))

    assert states(checks(Diagnosis((whole,), (WHOLE,)))) == dict.fromkeys(
        ("profiles_complete", "no_orphans", "key_present", "key_validated", "key_indexed"), "holds"
    )


@pytest.mark.parametrize(
    ("examined", "failing"),
    [
        (SICK, {"no_orphans"}),
        (replace(WHOLE, reference=replace(REFERENCE, is_validated=False)), {"key_validated"}),
        (KEYLESS, {"no_orphans", "key_present"}),
        (replace(WHOLE, index_name=None), set()),
        (replace(WHOLE, unseen="permission denied"), {"no_orphans"}),
    ],
)
def test_what_does_not_hold_fails(examined: Examined, failing: set[str]) -> None:
    """Each shortcoming is one check that is not passed; a missing index only warns."""
    found = checks(Diagnosis((), (examined,)))

    assert {check.name for check in found if not check.is_passed} == failing


def test_missing_index_fails_where_it_is_strict() -> None:
    """And is a warning elsewhere, with the column to index."""
    diagnosis = Diagnosis((), (replace(WHOLE, index_name=None),))

    assert states(checks(diagnosis))["key_indexed"] == "warns"
    assert states(checks(diagnosis, strict=True))["key_indexed"] == "fails"


def test_user_without_profile_fails() -> None:
    """Also where every reference is whole, with the command that mends it; and users that nobody could count prove nothing."""
    (check,) = checks(Diagnosis((STANDING,), ()))
    assert (check.name, check.state) == ("profiles_complete", "fails")
    assert check.what.endswith(" eligible users have no profile: with a source attached, pgmend heal --all makes them")
    assert states(checks(Diagnosis((replace(STANDING, coverage=None, unseen="no"),), ()))) == {"profiles_complete": "unseen"}


def test_totals_are_sums_over_the_reasons() -> None:
    """Orphans, keys, and the widest span of time."""
    assert (SICK.orphans, SICK.keys, SICK.share, SICK.last_hour, SICK.last_day) == (5, 4, 50.0, 1, 2)
    assert (SICK.first_seen, SICK.last_seen) == (UNKNOWN.first_seen, UNKNOWN.last_seen)


def test_reference_listed_twice_is_looked_at_once() -> None:
    """Two keys that say the same are two, because each of them stands or falls by itself."""
    twin = replace(REFERENCE, constraint_name="orders_user_id_fkey")

    assert distinct([REFERENCE, REFERENCE, twin]) == [REFERENCE, twin]


@pytest.mark.parametrize(("before", "orphans", "severity"), [(0, 5, "warning"), (4, 5, "warning"), (5, 0, "info")])
def test_change_of_the_number_is_audited(before: int, orphans: int, severity: str) -> None:
    """Under the name of the table's orphans, with the number before; none left is good news."""
    entry = orphans_detected(SICK if orphans else WHOLE, before)

    assert (entry.error_type, entry.severity, entry.user_id) == ("ORPHANED_ORDER_DETECTED", severity, None)
    assert (entry.details["orphans"], entry.details["orphans_before"]) == (orphans, before)


def test_report_says_everything_of_a_sick_reference() -> None:
    """At a glance and in detail: totals, times, reasons with their meaning and what fits them, keys."""
    text = printed(SICK)

    words = " ".join(text.split())
    assert "orders.user_id  fk_orders_user_id  orders_by_user  yes    cascade          5  50.00 %" in text
    assert "orphans      5 in 10 rows, 4 distinct keys" in text
    assert "still growing: 1 within the last hour, 2 within the last day" in words
    assert re.search(r"healable +2 +1  2024-01-01 00:00  2024-05-01 12:00 +0 +0\n +keys k\n", text)
    assert "Nobody has ever heard of the key. Strategies: quarantine, map, nullify." in words
    assert text.endswith("5 orphans, 2 findings")


def test_report_is_readable_at_a_hundred_columns() -> None:
    """However long names and keys are; a key that is no plain word is quoted, and moves no cursor."""
    long = replace(REFERENCE, referencing_table=f"public.{'order' * 12}", constraint_name="fk" * 30)
    tally = replace(HEALABLE, sample=("a b", "\x1b[2J", "", *(f"{number:036}" for number in range(9))))
    text = printed(replace(WHOLE, reference=long, tallies=(tally,), unseen=""), KEYLESS)

    assert max(map(len, text.splitlines())) <= 100
    assert r"keys 'a b', '\x1b[2J', ''," in text


def test_shares_are_never_rounded_to_all_or_none() -> None:
    """One orphan in a million rows is none of 0 %, and one user without profile makes no 100 %."""
    one = replace(HEALABLE, orphans=1)
    coverage = Coverage(users=10**6, erased=0, eligible=10**6, profiles=10**6 - 1, missing=1)
    text = printed(replace(WHOLE, rows=10**6, tallies=(one,)), standing=replace(STANDING, coverage=coverage))

    assert "0.01 %" in text
    assert "99.99 % of the eligible users have a profile, 1 without" in text


def test_what_was_not_seen_is_said() -> None:
    """Of users and of references, with the reason."""
    text = printed(replace(WHOLE, unseen="permission denied"), standing=replace(STANDING, coverage=None, unseen="locked"))

    assert "coverage     not seen: locked" in text
    assert "  not seen     permission denied" in text


def test_json_says_what_the_text_says() -> None:
    """One object that json can write, with times in ISO 8601."""
    answer = json.loads(json.dumps(diagnose_json.as_json(Diagnosis((STANDING,), (SICK, KEYLESS)))))
    first, second = answer["references"]

    assert answer.keys() == {"people", "references", "reasons", "findings", "orphans", "references_unseen"}
    assert (first["orphans"], first["share_percent"], first["by_reason"][1]["sample"]) == (5, 50.0, ["k"])
    assert (first["first_seen"], second["constraint_name"]) == ("2023-01-01T00:00:00+00:00", None)
    assert answer["people"][0]["coverage"]["percent"] == 88.8889


def test_check_is_one_line() -> None:
    """State and name stand where a script can cut them."""
    found = checks(Diagnosis((), (SICK,)))

    assert next(iter(verify_view.lines(found))).split() == [
        *("fails", "no_orphans", "orders.user_id=profiles.id", "5", "orphans:", "3", "unknown,", "2", "healable")
    ]


def test_reasons_are_those_that_the_statement_gives() -> None:
    """Every reason of the catalogue is written in selection.sql, and the runbook explains each word for word."""
    root = Path(__file__).parents[2]
    statement = (root / "sql" / "statements" / "orphans" / "selection.sql").read_text()
    runbook = (root / "docs" / "orphans.md").read_text()

    assert all(f"'{reason}'" in statement for reason in REASONS)
    for name, reason in REASONS.items():
        assert f"| `{name}` | {reason.meaning} | {', '.join(reason.strategies)} |" in runbook
