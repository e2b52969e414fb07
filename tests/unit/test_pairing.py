"""Finding users and profiles: by keys, by names, and an honest question where two could be meant."""

import pytest

from tests.support.catalogs import LINK, PROFILES, USERS, column, foreign_key, found, table
from worker.core.catalog import Catalog, ForeignKey, Source, Table, UniqueKey
from worker.errors import SourceRefusedError, SourceUnclearError

AUTH_USERS = table("auth.users", "id uuid !", "email character varying")
MEMBERS = table("public.members", "id uuid !", "email text")
SHAPES: dict[str, tuple[tuple[Table, ...], tuple[ForeignKey, ...], tuple[str, str]]] = {
    "shared key": ((USERS, PROFILES), (LINK,), ("public.users.id", "public.profiles.id")),
    "supabase": (
        (AUTH_USERS, USERS, PROFILES),
        (foreign_key("public.profiles", "id", "auth.users"),),
        ("auth.users.id", "public.profiles.id"),
    ),
    "supabase with public.users": (
        (AUTH_USERS, USERS),
        (foreign_key("public.users", "id", "auth.users"),),
        ("auth.users.id", "public.users.id"),
    ),
    "camel case and text keys": (
        (
            table("public.User", "id text !", "email text !"),
            table("public.Profile", "id text !", "userId text !", keys=("userId",)),
        ),
        (foreign_key("public.Profile", "userId", "public.User"),),
        ("public.User.id", "public.Profile.userId"),
    ),
    "django": (
        (
            table("public.auth_user", "id integer !", "email character varying !"),
            table("public.shop_userprofile", "id bigint !", "user_id integer !", keys=("user_id",)),
        ),
        (foreign_key("public.shop_userprofile", "user_id", "public.auth_user"),),
        ("public.auth_user.id", "public.shop_userprofile.user_id"),
    ),
    "users of another name, told by their profiles": (
        (table("public.custom_login", "id integer !"), table("public.profiles", "user_id integer !")),
        (foreign_key("public.profiles", "user_id", "public.custom_login"),),
        ("public.custom_login.id", "public.profiles.user_id"),
    ),
    "two that hold people, one with profiles": (
        (USERS, MEMBERS, PROFILES),
        (LINK,),
        ("public.users.id", "public.profiles.id"),
    ),
    "accounts without an address beside users": (
        (USERS, PROFILES, table("public.accounts", "id uuid !", "user_id uuid !")),
        (LINK,),
        ("public.users.id", "public.profiles.id"),
    ),
    "profiles of another name, referred to": (
        (USERS, table("public.customers", "id uuid !"), table("public.settings", "id uuid !")),
        (
            foreign_key("public.customers", "id", "public.users"),
            foreign_key("public.settings", "id", "public.users"),
            foreign_key("public.orders", "customer_id", "public.customers"),
        ),
        ("public.users.id", "public.customers.id"),
    ),
    "profiles without a foreign key to the users": (
        (USERS, table("public.profiles", "id bigint !", "user_id uuid !", keys=("user_id",))),
        (),
        ("public.users.id", "public.profiles.user_id"),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_tables_are_found_in_schemas_of_many_shapes(shape: str) -> None:
    """Nobody has to name what the catalog says."""
    tables, keys, expected = SHAPES[shape]

    assert found(Catalog(tables, keys)) == expected


@pytest.mark.parametrize(
    "name", ["users", "public.users", "USERS", '"users"', "public.USERS", '"public"."users"'], ids=lambda name: name
)
def test_table_is_named_as_in_sql(name: str) -> None:
    """With its schema or without, quoted or not; capitals fold as they do in SQL."""
    assert found(Catalog((USERS, MEMBERS, PROFILES), (LINK,)), users=name)[0] == "public.users.id"


def test_capitals_may_be_left_unquoted_where_no_other_table_is_meant() -> None:
    """A shell eats quotes: ``User`` finds "User"."""
    users = table("public.User", "id text !", "email text")
    profiles = table("public.Profile", "id text !")
    catalog = Catalog((users, profiles), (foreign_key("public.Profile", "id", "public.User"),))

    assert found(catalog, users="User", profiles="public.Profile") == ("public.User.id", "public.Profile.id")


def test_users_are_told_by_the_profiles_that_were_named() -> None:
    """Who names the profiles has said whose they are."""
    profiles = table("public.member_cards", "id uuid !")
    catalog = Catalog((USERS, MEMBERS, PROFILES, profiles), (LINK, foreign_key("public.member_cards", "id", "public.members")))

    assert found(catalog, profiles="member_cards") == ("public.members.id", "public.member_cards.id")


def test_what_is_attached_already_is_meant_where_nothing_is_named() -> None:
    """A second look at an attached application asks no question that was answered before."""
    cards = table("public.cards", "id uuid !")
    source = Source(4, "public.members", "id", "public.cards", "id", {})

    assert found(Catalog((USERS, MEMBERS, PROFILES, cards), (LINK,), (source,))) == ("public.members.id", "public.cards.id")


UNCLEAR = {
    "two of users": ((USERS, MEMBERS), (), "public.users, public.members", "--users"),
    "two of profiles": (
        (USERS, PROFILES, table("public.user_profiles", "id uuid !")),
        (LINK, foreign_key("public.user_profiles", "id", "public.users")),
        "public.profiles, public.user_profiles",
        "--profiles",
    ),
    "one is called profiles, and keys refer to the other": (
        (USERS, PROFILES, MEMBERS),
        (LINK, foreign_key("public.members", "id", "public.users"), foreign_key("public.orders", "member", "public.members")),
        "public.profiles, public.members",
        "--profiles",
    ),
    "settings are no profiles": (
        (USERS, table("public.settings", "id uuid !")),
        (foreign_key("public.settings", "id", "public.users"),),
        "public.settings",
        "--profiles",
    ),
    "nothing": ((table("public.things", "id uuid !"),), (), "", "--users"),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_question_names_the_candidates_and_the_option(case: str) -> None:
    """Between two nobody guesses."""
    tables, keys, candidates, option = UNCLEAR[case]

    with pytest.raises(SourceUnclearError) as asked:
        found(Catalog(tables, keys))

    assert asked.value.detail == candidates
    assert option in asked.value.hint


def test_table_of_the_same_name_in_two_schemas_is_asked_for() -> None:
    """A name without its schema may be two."""
    catalog = Catalog((USERS, table("old.users", "id uuid !")))

    with pytest.raises(SourceUnclearError, match="more than one"):
        found(catalog, users="users")


def test_composite_key_is_refused_with_the_reason() -> None:
    """A user is known by one column."""
    users = Table(
        "public",
        "users",
        "public.users",
        (column("tenant integer"), column("id integer")),
        (UniqueKey(("tenant", "id"), is_primary=True),),
    )

    with pytest.raises(SourceRefusedError, match="composite"):
        found(Catalog((users, PROFILES)))


@pytest.mark.parametrize(
    ("users", "profiles", "reason"),
    [
        (table("public.users", "id jsonb !"), PROFILES, "of type jsonb"),
        (table("public.users", "id text !"), PROFILES, "not of one kind"),
        (USERS, table("public.profiles", "no uuid !", "id uuid"), "no key of its own"),
    ],
    ids=["type", "kinds", "not-unique"],
)
def test_keys_that_cannot_work_are_refused_with_the_reason(users: Table, profiles: Table, reason: str) -> None:
    """What could not be healed later is said at once."""
    with pytest.raises(SourceRefusedError, match=reason):
        found(Catalog((users, profiles)), users="users", profiles="profiles", profiles_key="id")
