"""The survey: looks at users, profiles and every reference to them, one short read-only transaction a question.

What this role may not read, or what takes too long, is said of the table and ends nothing.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg

from worker.core.constrain.wish import read_end
from worker.core.diagnosis import Diagnosis, Examined, Standing, distinct
from worker.core.reference import People, Reference
from worker.errors import ConditionRefusedError, NameUnknownError, PeopleUnknownError
from worker.store import orphans, people, references
from worker.store.connection import Connection, failure_of, is_lost

COUNTED_UP_TO = 1_000_000
"""A table that the server believes to be smaller is counted; of a larger one its belief is good enough for a share."""

_HOW_TO_ATTACH = "attach a profile source, or say --users TABLE[.KEY] and --profiles TABLE[.KEY]"


@dataclass(frozen=True, slots=True)
class Named:
    """Users and profiles as a person named them, ``[schema.]table[.key]``, and the conditions on a users row."""

    users: str
    profiles: str
    eligible_when: str = "true"
    erased_when: str = "false"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is looked at, and within which limits, in seconds. ``named`` takes the place of what is attached."""

    named: Named | None = None
    references: tuple[tuple[str, str], ...] = ()
    sample: int = 0
    statement_seconds: float = 300.0
    lock_seconds: float = 2.0


@dataclass(slots=True)
class Survey:
    """One look, on a connection that relies on no prepared statement."""

    connection: Connection
    wishes: Wishes
    installed: people.Installation = field(init=False)

    async def run(self) -> Diagnosis:
        """Look at everything."""
        async with self._question():
            self.installed = await people.installation(self.connection)
        found = await self._people()
        standings = [await self._standing(each) for each in found]
        examined = [await self._examined(it, found) for it in await self._references(found)]
        return Diagnosis(tuple(standings), tuple(examined))

    async def references(self) -> tuple[list[Reference], list[People]]:
        """Return the references of what is attached, and the people to whom they lead; none where nothing is attached."""
        async with self._question():
            self.installed = await people.installation(self.connection)
        try:
            found = await self._people()
        except PeopleUnknownError:
            return [], []
        return await self._references(found), found

    async def examine(self, reference: Reference, found: Sequence[People]) -> Examined:
        """Look at one reference; ``found``: everybody to whom it may lead."""
        try:
            async with self._question():
                around = await references.surroundings(self.connection, reference)
        except asyncpg.PostgresError as error:
            return Examined(
                reference, None, None, None, unseen=self._why(error), index_is_known=False, is_denied=_is_denied(error)
            )
        seen = Examined(reference, around.index_name, around.seen_column, around.believed_rows)
        if reference.stranger is not None:
            why = f"{reference.why_unread}; --reference '{reference.name}' looks all the same"
            return replace(seen, unseen=why, is_denied=True)
        try:
            async with self._question():
                tallies = await orphans.tally(
                    self.connection, reference, found, seen_column=around.seen_column, sample=self.wishes.sample
                )
                if around.believed_rows is None or around.believed_rows < COUNTED_UP_TO:
                    rows = await orphans.size(self.connection, reference.referencing_table)
                    seen = replace(seen, rows=rows, rows_are_estimated=False)
        except asyncpg.PostgresError as error:
            return replace(seen, unseen=self._why(error), is_denied=_is_denied(error))
        return replace(seen, tallies=tuple(tallies))

    async def examine_lent(self, seen: Examined) -> Examined:
        """Count what this role may not read, where a foreign key says what is meant, with the rights of the installer."""
        if not seen.unseen or not seen.reference.is_declared:
            return seen
        try:
            async with self._question():
                tallies = await orphans.lent_tally(self.connection, seen.reference)
        except asyncpg.PostgresError as error:
            return replace(seen, unseen=self._why(error))
        return replace(seen, tallies=tuple(tallies), unseen="", is_lent=True)

    async def _examined(self, reference: Reference, found: Sequence[People]) -> Examined:
        """Look at one reference, with lent rights where this role has none and pgmend lends it some."""
        seen = await self.examine(reference, found)
        if not seen.is_denied or self.wishes.named is not None or not self.installed.has_sources:
            return seen
        lent = await self.examine_lent(seen)
        return seen if lent.unseen else lent

    async def _people(self) -> list[People]:
        if self.wishes.named is not None:
            return [await self._named(self.wishes.named)]
        if self.installed.has_sources:
            async with self._question():
                found = await people.attached(self.connection, is_audited=self.installed.has_audit)
            if found:
                return found
        raise PeopleUnknownError("nobody says where users and profiles are", hint=_HOW_TO_ATTACH)

    async def _named(self, named: Named) -> People:
        users, profiles = [await self._place(typed) for typed in (named.users, named.profiles)]
        found = People(*users, *profiles, named.eligible_when, named.erased_when, self.installed.has_audit)
        try:
            async with self._question():
                await people.try_conditions(self.connection, found.users_table, found.eligible_when, found.erased_when)
        except asyncpg.InsufficientPrivilegeError:
            pass  # said of the users table, where it is counted
        except asyncpg.PostgresError as error:
            self._why(error)
            raise ConditionRefusedError(
                "the server refuses a condition on users",
                detail=failure_of(error).message,
                hint="--eligible-when and --erased-when are SQL over the users row, which is called users",
            ) from error
        return found

    async def _place(self, typed: str, *, with_column: bool = False) -> tuple[str, str]:
        """Return the table and the column that a typed name means, on the search_path that the person's role has."""
        try:
            async with self.connection.transaction(readonly=True):
                readings = await references.located(self.connection, typed)
        except asyncpg.InvalidParameterValueError as error:
            raise NameUnknownError(f"{typed} is no name", hint="[schema.]table[.column], quoted as in SQL") from error
        for reading in readings:
            if reading.column_name is not None and (reading.has_column or not with_column):
                return reading.table_name, reading.column_name
        if readings and not with_column:
            raise NameUnknownError(f"{typed} has no primary key of one column", hint="say TABLE.KEY")
        raise NameUnknownError(
            f"there is no {'column' if with_column else 'table'} {typed}",
            hint="[schema.]table[.column], quoted as in SQL; a view or a foreign table is none that keys refer to",
        )

    async def _standing(self, whose: People) -> Standing:
        standing = Standing(whose)
        try:
            async with self._question():
                columns = await people.columns(self.connection, whose.profiles_table)
                constraints = await people.constraints(self.connection, whose.profiles_table)
            standing = replace(standing, columns=columns, constraints=constraints)
            async with self._question():
                return replace(standing, coverage=await people.coverage(self.connection, whose))
        except asyncpg.PostgresError as error:
            return replace(standing, unseen=self._why(error))

    async def _references(self, found: Iterable[People]) -> list[Reference]:
        listed = [await self._reference(*typed) for typed in self.wishes.references]
        for look in (self._declared, self._undeclared):
            for each in found:
                listed += await look(each, listed)
        return distinct(listed)

    async def _declared(self, whose: People, _listed: list[Reference]) -> list[Reference]:
        async with self._question():
            return await references.declared(self.connection, whose.profiles_table)

    async def _undeclared(self, whose: People, listed: list[Reference]) -> list[Reference]:
        """Return the columns that should refer to the profiles by their names, and are listed nowhere yet."""
        async with self._question():
            return await references.guessed(self.connection, whose, listed, left_out=self.installed.audit_tables)

    async def _reference(self, referencing: str, referenced: str) -> Reference:
        ends = [await self._end(typed) for typed in (referencing, referenced)]
        if len(ends[0]) != len(ends[1]):
            raise NameUnknownError(f"{referencing} has more columns, or fewer, than {referenced}", hint="name them pair by pair")
        async with self._question():
            reference = await references.named(self.connection, ends[0], ends[1])
        assert reference is not None, "both columns were found a moment ago"
        return reference

    async def _end(self, typed: str) -> tuple[str, ...]:
        """Return the table and the columns that a typed end means: ``orders.user_id`` or ``orders.tenant,user_id``."""
        if "," not in typed:
            return await self._place(typed, with_column=True)
        try:
            end = read_end(typed)
        except ValueError as error:
            raise NameUnknownError(f"{typed} is no name", hint="[schema.]table.column,column") from error
        quoted = ['"' + column.replace('"', '""') + '"' for column in end.columns]
        places = [await self._place(f"{end.table}.{column}", with_column=True) for column in quoted]
        return (places[0][0], *(column for _, column in places))

    @asynccontextmanager
    async def _question(self) -> AsyncIterator[None]:
        async with self.connection.transaction(readonly=True):
            await orphans.limit(
                self.connection, statement_seconds=self.wishes.statement_seconds, lock_seconds=self.wishes.lock_seconds
            )
            yield

    def _why(self, error: asyncpg.PostgresError) -> str:
        """Return why something was not seen; a connection that is gone ends the survey."""
        if is_lost(error, self.connection):
            raise error
        failure = failure_of(error)
        if failure.sqlstate == "57014":
            return f"took longer than {self.wishes.statement_seconds:g} s"
        return f"{failure.message} (SQLSTATE {failure.sqlstate})"


def _is_denied(error: asyncpg.PostgresError) -> bool:
    return isinstance(error, asyncpg.InsufficientPrivilegeError)
