"""What a repair decides without a database: strategies, names, batch sizes."""

from dataclasses import replace
from pathlib import Path

import pytest

from worker.commands.key_map import read_mapping
from worker.commands.repair_view import plan_lines
from worker.core.batch_size import BatchSize
from worker.core.orphans import REASONS
from worker.core.reference import Reference
from worker.core.repair_plan import Plan, PlannedReference, PlannedStep
from worker.core.strategy import Choice, changed_columns, decide, read_choice
from worker.core.table_names import orphan_type
from worker.errors import RepairRefusedError

LEADS = Reference(
    referencing_table="public.leads",
    referencing_columns=("user_id",),
    referencing_types=("uuid",),
    referenced_table="public.profiles",
    referenced_columns=("id",),
    referenced_types=("uuid",),
    constraint_name=None,
    is_validated=False,
    on_delete="no action",
    is_deferrable=False,
    is_partitioned=False,
    is_nullable=True,
)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("public.orders", "ORDER"),
        ("chat_messages", "CHAT_MESSAGE"),
        ('shop."ChatEntries"', "CHAT_ENTRY"),
        ('"a.b"."Order Items"', "ORDER_ITEM"),
        ("public.addresses", "ADDRESS"),
        ("public.statuses", "STATUS"),
        ("public.boxes", "BOX"),
        ("public.people", "PERSON"),
        ("public.data", "DATA"),
        ("public.status", "STATUS"),
        ("public.order_history", "ORDER_HISTORY"),
    ],
)
def test_orphans_are_named_after_their_table(table: str, name: str) -> None:
    """Without schema and quotes, in the singular, in capitals."""
    assert orphan_type(table) == f"ORPHANED_{name}_DETECTED"


@pytest.mark.parametrize("reason", REASONS)
def test_keys_of_users_who_exist_are_left_alone_unless_told(reason: str) -> None:
    """Healing makes what is missing; nothing else is done to such a row by default."""
    expected = {"healable": "heal", "not_eligible": None, "erased": None, "mismatched": None}

    assert decide(LEADS, reason, []).strategy == expected.get(reason, "quarantine")


def test_what_is_left_alone_says_how_to_decide_otherwise() -> None:
    """The option that it prints is one that decides."""
    left_alone = decide(LEADS, "erased", [])
    option = left_alone.why.partition("--strategy ")[2].partition(",")[0]

    assert left_alone.strategy is None
    assert decide(LEADS, "erased", [read_choice(option)]).strategy == "quarantine"


@pytest.mark.parametrize("name", ["leads.user_id", "public.leads.user_id", "leads.user_id=profiles.id"])
def test_choice_is_for_the_reference_that_it_names(name: str) -> None:
    """With or without the schema, with or without the other side; the last choice counts."""
    choices = [Choice(name, "gone", "delete"), Choice(name, "gone", "reassign", "7")]

    assert decide(LEADS, "gone", choices).argument == "7"
    assert decide(LEADS, "unknown", choices).strategy == "quarantine"


@pytest.mark.parametrize("name", ["user_id", "eads.user_id", "other.leads.user_id", "leads.user_id=users.id"])
def test_choice_is_for_no_other_reference(name: str) -> None:
    """A part of a name is no name."""
    assert decide(LEADS, "gone", [Choice(name, "gone", "delete")]).strategy == "quarantine"


def test_nullify_wants_set_null_declared_or_intended() -> None:
    """What the key does not say, a person may say for it."""
    choices = [read_choice("leads.user_id:gone=nullify")]

    assert decide(LEADS, "gone", choices).is_refused
    assert not decide(LEADS, "gone", choices, on_delete="set null").is_refused


@pytest.mark.parametrize(
    "text", ["a.b", "a.b=delete", "a.b:gone=drop", "a.b:lost=delete", "a.b:gone=map", "a.b:gone=delete:1", "a:gone=x=y"]
)
def test_choice_that_is_none_is_said_to_be_none(text: str) -> None:
    """Each mistake is a ValueError with the words that would be right."""
    with pytest.raises(ValueError, match=r"REFERENCE:REASON|there are|argument"):
        read_choice(text)


def test_only_the_column_with_the_users_key_is_changed() -> None:
    """The others of a composite key belong to the row."""
    assert changed_columns(LEADS, "payer") == ("payer",)
    assert changed_columns(LEADS, None) == ("user_id",)


def test_batches_grow_towards_the_moment_and_shrink_from_a_lock() -> None:
    """Tenfold at most, never beyond the bounds; a given size is given."""
    size, given = BatchSize(), BatchSize(given=50)
    first = size.limit
    size.took(0.001)
    assert size.limit == first * 10
    size.took(0.4)
    assert size.limit == first * 5
    for _ in range(20):
        size.took(0.0)
    assert size.limit == 20_000
    given.failed()
    assert given.limit == 25
    given.recovered()
    given.took(9)
    assert given.limit == 50


@pytest.mark.parametrize(("text", "wrong"), [("a,b\na,c\n", "twice"), ("a\n", "row 1"), ("old,new\na,\n", "row 1")])
def test_mapping_that_is_ambiguous_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    """The row is named."""
    file = tmp_path / "keys.csv"
    file.write_text(text)
    with pytest.raises(RepairRefusedError, match=wrong):
        read_mapping(str(file))


def test_mapping_is_read_with_or_without_its_heading(tmp_path: Path) -> None:
    """``old,new`` in the first line is no key."""
    file = tmp_path / "keys.csv"
    file.write_text('old,new\n1,2\n"a,b",3\n')

    assert read_mapping(str(file)) == {"1": "2", "a,b": "3"}


@pytest.mark.parametrize(("clean", "words"), [(1, "1 more reference looked at"), (4, "4 more references looked at")])
def test_plan_counts_the_references_without_orphans(clean: int, words: str) -> None:
    """A plan says how many others were looked at, one of them in the singular."""
    where = PlannedReference(LEADS, (), "select", is_guess=False)
    others = [PlannedReference(replace(LEADS, referencing_table=f"public.t{n}"), (), "", is_guess=False) for n in range(clean)]
    plan = Plan((where, *others), (PlannedStep(where, "unknown", rows=2, keys=1, strategy="quarantine"),))

    assert f"{words}, no orphans" in list(plan_lines(plan))
