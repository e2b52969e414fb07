"""The draft of a recipe: copies what is plainly the same, leaves out what may be left out, and makes nothing up."""

import pytest

from tests.support.catalogs import column, foreign_key, plain_catalog, proposed, table
from worker.core.catalog import Catalog, Column
from worker.core.recipe import UNDECIDED
from worker.errors import SourceRefusedError

USERS = table(
    "public.users",
    "id uuid !",
    "email text !",
    "fullName text !",
    "age integer !",
    "role text !",
    "terms_accepted boolean !",
    "profile_picture_url text",
    "raw_user_meta_data jsonb",
)


def drafted(wanted: str | Column, **wishes: object) -> str | None:
    """Return the expression that is drafted for one column of the profiles."""
    return proposed(plain_catalog(wanted, users=USERS), **wishes).lines[0].expression


@pytest.mark.parametrize(
    ("wanted", "expression"),
    [
        ("email text !", "users.email"),
        ("email character varying !", "users.email"),
        ("email_address text !", "users.email"),
        ("full_name text !", 'users."fullName"'),
        ("avatar_url text !", "users.profile_picture_url"),
        ("age bigint !", "users.age"),
    ],
)
def test_column_of_the_same_name_and_an_assignable_type_is_copied(wanted: str, expression: str) -> None:
    """Capitals and underscores make no difference, and a type may be wider."""
    assert drafted(wanted) == expression


@pytest.mark.parametrize(
    "wanted",
    [
        column("email text"),
        column("email text !", default="'none'"),
        column("email text !", is_generated=True),
        column("age integer !", is_identity=True),
    ],
    ids=["nullable", "default", "generated", "identity"],
)
def test_column_that_an_insert_may_leave_out_is_left_out(wanted: Column) -> None:
    """The database fills it, as it does for the application."""
    assert drafted(wanted) is None


@pytest.mark.parametrize(
    "wanted",
    ["name text !", "username text !", "age smallint !", "email integer !", "id2 uuid !", "user_meta_data jsonb !"],
)
def test_column_that_only_a_person_knows_is_left_to_one(wanted: str) -> None:
    """Without a column of the same name and a fitting type nothing is written."""
    assert drafted(wanted) == UNDECIDED


DELICATE = (
    "role user_role isAdmin is_superuser permissions terms_accepted termsAccepted marketing_consent plan email_verified "
    "verifiedAt optIn subscription_tier approved"
)


@pytest.mark.parametrize("name", DELICATE.split())
def test_right_or_consent_is_never_copied(name: str) -> None:
    """Neither from a column of the same name nor from what users write of themselves, not even as a suggestion."""
    users = table("public.users", "id uuid !", f"{name} text !", "raw_user_meta_data jsonb")
    (line,) = proposed(plain_catalog(f"{name} text !", users=users)).lines

    assert line.expression == UNDECIDED
    assert "meta_data" not in line.reason


@pytest.mark.parametrize("name", ["photos", "planet", "explanation", "controller", "postal_code", "frontier"])
def test_harmless_name_that_holds_such_a_word_is_copied(name: str) -> None:
    """Words are looked at, not letters."""
    users = table("public.users", "id uuid !", f"{name} text !")

    assert proposed(plain_catalog(f"{name} text !", users=users)).recipe == {name: f"users.{name}"}


def test_metadata_is_a_suggestion_and_no_more() -> None:
    """Users write it themselves: it stands in the comment, and the column stays undecided."""
    (line,) = proposed(plain_catalog("username text !", users=USERS)).lines

    assert line.expression == UNDECIDED
    assert "users.raw_user_meta_data ->> 'username'" in line.reason


@pytest.mark.parametrize(
    ("columns", "undecided"),
    [
        (("id text !", "user_id text !"), "id"),
        (("user_id text !", "id text !"), "id"),
        (("email text !", "user_id text !"), "email"),
    ],
    ids=["primary-key", "users-key", "primary-key-of-a-name-of-the-users"],
)
def test_neither_the_users_key_nor_a_profiles_own_is_copied(columns: tuple[str, str], undecided: str) -> None:
    """A profile's own key is not the user's, even if both are called id."""
    users = table("public.users", "id text !", "email text")
    profiles = table("public.profiles", *columns, keys=("user_id",))
    catalog = Catalog((users, profiles), (foreign_key("public.profiles", "user_id", "public.users"),))

    assert proposed(catalog).undecided == (undecided,)


def test_what_has_to_be_made_first_is_a_case_for_a_function() -> None:
    """A column that refers to another table says so."""
    key = foreign_key("public.profiles", "workspace_id", "public.workspaces")
    (line,) = proposed(plain_catalog("workspace_id uuid !", keys=(key,))).lines

    assert line.is_undecided
    assert "public.workspaces" in line.reason
    assert "--recipe-function" in line.reason


def test_given_recipe_goes_before_the_draft_and_null_leaves_out() -> None:
    """A person has the last word on every column, and need not write the others."""
    catalog = plain_catalog("email text !", "username text !", "bio text", users=USERS)
    recipe = {"username": "public.free_name(users.email)", "email": None}

    assert proposed(catalog, recipe=recipe).recipe == {"username": "public.free_name(users.email)"}


@pytest.mark.parametrize(("given", "reason"), [("nickname", "no column nickname"), ("id", "user's key")])
def test_recipe_for_a_column_that_it_cannot_give_is_refused(given: str, reason: str) -> None:
    """A misspelt column is said at once."""
    with pytest.raises(SourceRefusedError, match=reason):
        drafted("email text !", recipe={given: "'x'"})
