"""References: which columns refer to which, by a foreign key, or by what their names say they should."""

from collections.abc import Iterable
from dataclasses import dataclass

OnDelete = str
"""``no action``, ``restrict``, ``cascade``, ``set null`` or ``set default``, as SQL spells it."""


@dataclass(frozen=True, slots=True)
class People:
    """Whose profiles are referred to: as a profile source has it. ``is_audited``: the audit may be asked who was there once."""

    users_table: str
    users_key: str
    profiles_table: str
    profiles_key: str
    eligible_when: str = "true"
    erased_when: str = "false"
    is_audited: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference from a referencing to a referenced table.

    Tables are names as ``regclass`` prints them, quoted where they must be; columns are bare names, in the order of the key.
    ``constraint_name`` is None where no foreign key stands. ``is_nullable``: every referencing column may be null.
    ``stranger`` owns the referencing table, and nobody trusts their code: reading it would run that with the reader's rights (an
    index, a type or an operator of theirs). None where the owner is trusted, or a person has named the reference.
    """

    referencing_table: str
    referencing_columns: tuple[str, ...]
    referencing_types: tuple[str, ...]
    referenced_table: str
    referenced_columns: tuple[str, ...]
    referenced_types: tuple[str, ...]
    constraint_name: str | None
    is_validated: bool
    on_delete: OnDelete
    is_deferrable: bool
    is_partitioned: bool
    is_nullable: bool
    stranger: str | None = None

    @property
    def why_unread(self) -> str:
        """Return why a table of a stranger is not read, in words."""
        return f"the table belongs to {self.stranger}, whose code would run with the rights of this role"

    @property
    def is_declared(self) -> bool:
        """Return whether a foreign key stands, validated or not."""
        return self.constraint_name is not None

    @property
    def types_match(self) -> bool:
        """Return whether both ends have the same types, so that a foreign key can stand and its index be used."""
        return _bare(self.referencing_types) == _bare(self.referenced_types)

    @property
    def name(self) -> str:
        """Return the reference as a person writes it: ``orders.user_id=profiles.id``."""
        return (
            f"{self.referencing_table}.{','.join(self.referencing_columns)}"
            f"={self.referenced_table}.{','.join(self.referenced_columns)}"
        )

    def column_of(self, people: People) -> str | None:
        """Return the referencing column that holds the key of a user, or None where the reference is none to the profiles."""
        if self.referenced_table != people.profiles_table or people.profiles_key not in self.referenced_columns:
            return None
        return self.referencing_columns[self.referenced_columns.index(people.profiles_key)]

    def people_of(self, people: Iterable[People]) -> list[People]:
        """Return those of the people whose profiles are referred to, all by the same column."""
        theirs = [each for each in people if self.column_of(each) is not None]
        return [each for each in theirs if self.column_of(each) == self.column_of(theirs[0])]


def _bare(types: tuple[str, ...]) -> list[str]:
    """Return type names without their modifiers: ``character varying(36)`` refers to ``character varying``."""
    return [type_name.partition("(")[0] for type_name in types]
