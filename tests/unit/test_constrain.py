"""Plans of constrain: from every picture of a reference to the steps that are left, without a database."""

from dataclasses import replace

import pytest

from worker.core.blocker import Blocker
from worker.core.constrain.picture import Circumstances, Guarding, Index, Key, Picture, Relation
from worker.core.constrain.plan import make_plan
from worker.core.constrain.refusal import Ground
from worker.core.constrain.step import AddKey, CreateIndex, GuardKey, Lock, Step, ValidateKey, duration, locks
from worker.core.constrain.wish import End, Wish, read_choice, read_end, read_reference
from worker.core.reference import Reference

REFERENCE = Reference(
    "orders",
    ("user_id",),
    ("uuid",),
    "profiles",
    ("id",),
    ("uuid",),
    constraint_name=None,
    is_validated=False,
    on_delete="no action",
    is_deferrable=False,
    is_partitioned=False,
    is_nullable=False,
)
WISH = Wish(REFERENCE, on_delete="cascade")
TABLE = Relation("public.orders", "table", None, is_ours=True, key_name="fk", index_name="public.orders_by_user_id")
PARTITIONED = replace(TABLE, kind="partitioned")
PARTS = tuple(
    Relation(f"public.orders_{n}", "table", "public.orders", is_ours=True, key_name="fk", index_name=f"public.i_{n}")
    for n in (1, 2)
)
FACTS = Circumstances(
    18,
    is_standby=False,
    referenced_table="public.profiles",
    column_list="user_id",
    referenced_list="id",
    required_columns=("user_id",),
    mismatches=(),
    has_unique_key=True,
    making_unique="create unique index …",
    lacking=(),
    may_create=True,
)
INDEX = Index(
    "public.orders", "public.orders_by_user_id", is_valid=True, serves=True, is_plain=True, above=None, is_being_built=False
)
INVALID = replace(INDEX, is_valid=False, serves=False)
KEY = Key("public.orders", "fk", True, "cascade", "immediate", False, False)  # noqa: FBT003
NOT_VALID = replace(KEY, is_validated=False)
FRESH = Picture((TABLE,), (), (), FACTS)
PARTED = Picture((PARTITIONED, *PARTS), (), (), FACTS)
OLD = replace(PARTED, circumstances=replace(FACTS, server_major=17))


def names(steps: tuple[Step, ...]) -> list[str]:
    """Return the kinds of steps, with the table where there are several."""
    return [f"{type(step).__name__} {step.table.removeprefix('public.')}" for step in steps]


SITUATIONS = {
    "nothing is there": (FRESH, ["CreateIndex orders", "CountOrphans orders", "AddKey orders", "ValidateKey orders"]),
    "the index is there": (
        replace(FRESH, indexes=(INDEX,)),
        ["CountOrphans orders", "AddKey orders", "ValidateKey orders"],
    ),
    "the orphans are counted": (replace(FRESH, indexes=(INDEX,), is_clean=True), ["AddKey orders", "ValidateKey orders"]),
    "the key is not valid": (replace(FRESH, indexes=(INDEX,), keys=(NOT_VALID,), is_clean=True), ["ValidateKey orders"]),
    "all is there": (replace(FRESH, indexes=(INDEX,), keys=(KEY,)), []),
    "only the index is missing": (replace(FRESH, keys=(KEY,)), ["CreateIndex orders"]),
    "our index is invalid": (replace(FRESH, keys=(KEY,), indexes=(INVALID,)), ["DropIndex orders", "CreateIndex orders"]),
    "our index is being built": (
        replace(FRESH, keys=(KEY,), indexes=(replace(INVALID, is_being_built=True),)),
        ["AwaitIndex orders"],
    ),
    "another index is invalid": (
        replace(FRESH, keys=(KEY,), indexes=(replace(INVALID, name="public.theirs"),)),
        ["CreateIndex orders"],
    ),
    "an index of our name is another": (
        replace(FRESH, keys=(KEY,), indexes=(replace(INVALID, is_plain=False),)),
        ["CreateIndex orders"],
    ),
    "partitioned": (
        PARTED,
        [
            "CreateIndexOnly orders",
            *("CreateIndex orders_1", "AttachIndex orders_1", "CreateIndex orders_2", "AttachIndex orders_2"),
            *("CountOrphans orders", "AddKey orders", "ValidateKey orders_1", "ValidateKey orders_2", "ValidateKey orders"),
        ],
    ),
    "partitioned, before 18": (
        replace(OLD, is_clean=True, indexes=(INDEX,)),
        ["AddKey orders_1", "AddKey orders_2", "ValidateKey orders_1", "ValidateKey orders_2", "AddKey orders"],
    ),
    "partitioned, before 18, one is done": (
        replace(OLD, is_clean=True, indexes=(INDEX,), keys=(replace(KEY, table="public.orders_1"),)),
        ["AddKey orders_2", "ValidateKey orders_2", "AddKey orders"],
    ),
    "partitioned, all but the whole is valid": (
        replace(
            PARTED,
            is_clean=True,
            indexes=(INDEX,),
            keys=(NOT_VALID, *(replace(KEY, table=part.table, is_inherited=True) for part in PARTS)),
        ),
        ["ValidateKey orders"],
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_steps_are_what_is_left(situation: str) -> None:
    """Whatever was done already is not done again."""
    picture, steps = SITUATIONS[situation]

    assert names(make_plan(WISH, picture).steps) == steps


def test_key_comes_before_the_count_where_that_is_wished() -> None:
    """No new orphan comes in while the old ones are counted and settled."""
    plan = make_plan(replace(WISH, not_valid_first=True), replace(FRESH, indexes=(INDEX,)))

    assert names(plan.steps) == ["AddKey orders", "CountOrphans orders", "ValidateKey orders"]


def test_new_key_is_as_wished_and_a_standing_one_as_it_stands() -> None:
    """A wish speaks of what is to be made; a standing key is told to differ, and not touched."""
    wish = Wish(REFERENCE, name="fk_new", on_delete="set null", checked="deferred")
    plan = make_plan(wish, replace(FRESH, keys=(NOT_VALID,), indexes=(INDEX,), is_clean=True))
    made = next(step for step in make_plan(WISH, FRESH).steps if isinstance(step, AddKey))

    assert (made.on_delete, made.checked, made.is_not_valid, made.takes_over) == ("cascade", "immediate", True, False)
    assert plan.steps == (ValidateKey("public.orders", "fk", "public.profiles"),)
    assert len(plan.notes) == 3


REFUSED = {
    "types": (replace(FACTS, mismatches=("user_id is text where id is uuid",)), Ground.REFERENCE, "42804"),
    "not unique": (replace(FACTS, has_unique_key=False), Ground.REFERENCE, "is not unique"),
    "standby": (replace(FACTS, is_standby=True), Ground.SERVER, "standby"),
    "rights": (replace(FACTS, lacking=("SELECT on public.profiles",)), Ground.RIGHTS, "lacks SELECT"),
    "no index may be made": (replace(FACTS, may_create=False), Ground.RIGHTS, "lacks CREATE"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_stands_in_the_way_is_refused_while_something_is_left_to_do(what: str) -> None:
    """Of a reference that is whole nothing is refused, since nothing is asked of the server."""
    facts, ground, said = REFUSED[what]
    (refusal,) = make_plan(WISH, replace(FRESH, circumstances=facts)).refusals
    whole = make_plan(WISH, replace(FRESH, circumstances=facts, keys=(KEY,), indexes=(INDEX,)))

    assert refusal.ground is ground
    assert said in refusal.what
    assert refusal.helps
    assert (whole.steps, whole.refusals) == ((), ())


def test_guess_that_cannot_become_a_key_is_left_out_but_lacking_rights_are_told() -> None:
    """A column that is only named like others may be something else; a right that is missing is missing for all."""
    guess = replace(WISH, is_guess=True)
    mismatched = make_plan(guess, replace(FRESH, circumstances=REFUSED["types"][0]))
    helpless = make_plan(guess, replace(FRESH, circumstances=REFUSED["rights"][0]))

    assert (mismatched.steps, mismatched.refusals, len(mismatched.left_out)) == ((), (), 1)
    assert (len(helpless.refusals), helpless.left_out) == (1, ())


def test_foreign_table_among_the_partitions_is_refused() -> None:
    """It can hold no foreign key, and so its partitioned table cannot."""
    foreign = replace(PARTS[1], kind="other")
    plan = make_plan(WISH, replace(PARTED, relations=(PARTITIONED, PARTS[0], foreign)))

    assert [refusal.what for refusal in plan.refusals] == ["public.orders_2 is neither a table nor partitioned"]


def test_key_is_guarded_once_and_only_where_it_leads_to_the_profiles() -> None:
    """The guard is the last step; a key that is guarded already keeps its guard."""
    wish = replace(WISH, guard_mode="ensure")
    whole = replace(FRESH, keys=(KEY,), indexes=(INDEX,))
    guardable = make_plan(wish, replace(whole, guarding=Guarding(is_guardable=True, guarded=())))
    guarded = make_plan(wish, replace(whole, guarding=Guarding(is_guardable=True, guarded=("fk",))))
    elsewhere = make_plan(wish, replace(whole, guarding=Guarding(is_guardable=False, guarded=())))

    assert guardable.steps == (GuardKey("public.orders", "fk", "ensure"),)
    assert guarded.steps == elsewhere.steps == ()
    assert elsewhere.notes == ("it cannot be guarded: it does not lead to the profiles of one source",)


def test_scans_are_told_from_instants() -> None:
    """Only what reads a table takes its time; and it locks nobody out."""
    plan = make_plan(WISH, PARTED)
    scans = [step for step in plan.steps if duration(step) == "a scan"]

    assert {type(step).__name__ for step in scans} == {"CountOrphans", "CreateIndex", "ValidateKey"}
    assert {lock.mode for step in scans for lock in locks(step)} == {"AccessShare", "RowShare", "ShareUpdateExclusive"}
    assert duration(plan.steps[-1]) == "an instant"


def test_table_that_refers_to_itself_is_locked_once() -> None:
    """By the stronger of two locks, which is the referencing table's."""
    plan = make_plan(WISH, replace(FRESH, circumstances=replace(FACTS, referenced_table="public.orders")))

    assert [locks(step) for step in plan.steps if not isinstance(step, CreateIndex)] == [
        [Lock("AccessShare", "public.orders")],
        [Lock("ShareRowExclusive", "public.orders")],
        [Lock("ShareUpdateExclusive", "public.orders")],
    ]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("orders.user_id=profiles.id", (End("orders", ("user_id",)), End("profiles", ("id",)))),
        ("a.b.c=d.e", (End("a.b", ("c",)), End("d", ("e",)))),
        ("a.x,y=b.z,w", (End("a", ("x", "y")), End("b", ("z", "w")))),
        ('"A.b"."c=d"."e,f"="G""h".i', (End('"A.b"."c=d"', ("e,f",)), End('"G""h"', ("i",)))),
        (" orders . user_id = profiles.id ", (End("orders", ("user_id",)), End("profiles", ("id",)))),
    ],
)
def test_reference_is_read_as_it_is_spelled(text: str, ends: tuple[End, End]) -> None:
    """Marks within quotes belong to the name."""
    assert read_reference(text) == ends


@pytest.mark.parametrize("text", ["", "orders", "orders.=profiles.id", "a.b=c.d=e.f", "a.b,c=d.e", ".a=b.c", "a.b,=c.d,e"])
def test_what_is_no_reference_is_not_read(text: str) -> None:
    """A half is told, and never completed by guessing."""
    with pytest.raises(ValueError, match=r"is no table|more columns"):
        read_reference(text)


def test_choice_and_end_are_read_alike() -> None:
    """What comes after the first = is the choice, blanks and all."""
    assert read_choice("orders.user_id=set null") == (End("orders", ("user_id",)), "set null")
    assert str(read_end('"O".user id')) == '"O".user id'


def test_blocker_is_told_with_what_may_be_seen_of_it() -> None:
    """Without the right to see a session only its process is known."""
    seen = Blocker(7, "report", "app", "active", 1.25, 3.0)

    assert str(seen) == "process 7 (report) of app: active, last query began 1.2 s ago, transaction 3.0 s old"
    assert str(Blocker(7, None, None, None, None, None)) == "process 7"
