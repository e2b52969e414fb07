"""The plan of a repair: which references lead nowhere, why, and what would be done. Reads, and changes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from worker.core.constrain.wish import End, read_reference
from worker.core.orphans import Tally
from worker.core.reference import Reference
from worker.core.repair_plan import KnownSource, Plan, PlannedReference, PlannedStep
from worker.core.strategy import Choice, changed_columns, decide, is_called
from worker.core.wording import HOW_TO_SEE_ALL
from worker.errors import NameUnknownError, PeopleUnknownError, RepairRefusedError
from worker.store import orphans, people, references, repairs
from worker.store.connection import Connection

_REFERENCE_HINT = "write orders.user_id=profiles.id, or orders.tenant,user_id=profiles.tenant,id"
_UNATTACHED = "{0} refers to {1}, and no profile source says who of them exists: attach it, or name a strategy for the reason"
_NAMED = 3
_ALONG_COUNTED = 100_000
"""Orphans of a reference, of which is counted what goes along with them."""

_AUDIT_HINT = "it also names users who are gone, and is no table to be repaired"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks for.

    ``references``: beside the declared ones, as ``public.orders.user_id=public.profiles.id``. ``only``: of all these.
    ``on_delete``: what a reference is to say. ``mappings``: by the name of their file, old key to new key.
    """

    references: Sequence[str] = ()
    only: Sequence[str] = ()
    choices: Sequence[Choice] = ()
    on_delete: Mapping[str, str] = field(default_factory=dict)
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planning:
    """Makes the plan on a settled session."""

    connection: Connection
    wishes: Wishes

    async def run(self) -> Plan:
        """Return the plan. Raises RepairRefusedError for a wish that cannot be met."""
        sources = await repairs.sources(self.connection)
        if not sources:
            raise PeopleUnknownError(
                "nobody says where users and profiles are",
                detail="rows of users who exist could not be told from others",
                hint="attach a profile source (pgmend attach), which a repair goes by and heals with",
            )
        listed, strange = await self._references(sources)
        chosen = [choice.reference for choice in self.wishes.choices]
        _refuse_unknown((*chosen, *self.wishes.on_delete), [where.reference for where in listed])
        await self._refuse_hidden_rows(listed)
        await self._refuse_strangers(listed)
        steps = [step for where in listed for step in await self._steps(where)]
        return Plan(tuple(listed), tuple(steps), tuple(strange))

    async def _references(self, sources: Sequence[KnownSource]) -> tuple[list[PlannedReference], list[Reference]]:
        """Return the references that are looked at, and those in tables of strangers, which are not unless they are named."""
        audit_tables = (await people.installation(self.connection)).audit_tables
        found: dict[str, tuple[Reference, bool]] = {}
        for text in self.wishes.references:
            reference = await self._named(text)
            if reference.referencing_table in audit_tables:
                raise RepairRefusedError(f"{reference.referencing_table} is the audit", hint=_AUDIT_HINT)
            found[reference.name] = reference, False
        for source in sources:
            for reference in await references.declared(self.connection, source.people.profiles_table):
                found.setdefault(reference.name, (reference, False))
        for source in sources:
            known = [reference for reference, _ in found.values()]
            for reference in await references.guessed(self.connection, source.people, known, left_out=audit_tables):
                found.setdefault(reference.name, (reference, True))
        strange = [it for it, _ in found.values() if it.stranger is not None]
        found = {name: it for name, it in found.items() if it[0].stranger is None}
        only = self.wishes.only
        _refuse_unknown(only, [it for it, _ in found.values() if it.referencing_table not in audit_tables])
        listed = [
            await self._where(reference, sources, is_guess=is_guess)
            for reference, is_guess in found.values()
            if reference.referencing_table not in audit_tables
            and (not only or any(is_called(reference, given) for given in only))
        ]
        return listed, strange

    async def _named(self, text: str) -> Reference:
        ends = read_ends(text)
        for end in ends:
            if await repairs.qualified(self.connection, end.table) is None:
                raise NameUnknownError(f"there is no table {end.table}", hint="write it with its schema")
        near, far = ((end.table, *end.columns) for end in ends)
        reference = await references.named(self.connection, near, far)
        if reference is None:
            raise NameUnknownError("there is no such column: " + "=".join(map(str, ends)), hint=_REFERENCE_HINT)
        return reference

    async def _where(self, reference: Reference, sources: Sequence[KnownSource], *, is_guess: bool) -> PlannedReference:
        theirs = reference.people_of([source.people for source in sources])
        selection = await orphans.selection(self.connection, reference, theirs)
        return PlannedReference(reference, tuple(it for it in sources if it.people in theirs), selection, is_guess)

    async def _refuse_hidden_rows(self, listed: Sequence[PlannedReference]) -> None:
        tables = {table for where in listed for table in (where.reference.referencing_table, where.reference.referenced_table)}
        tables |= {each.users_table for where in listed for each in where.people}
        hidden = await repairs.hidden(self.connection, sorted(tables))
        if hidden:
            raise RepairRefusedError(
                "row-level security hides rows from this role",
                detail=", ".join(hidden),
                hint=HOW_TO_SEE_ALL,
            )

    async def _refuse_strangers(self, listed: Sequence[PlannedReference]) -> None:
        """Refuse where rows of a stranger's table would go along: reading them runs that owner's code with our rights."""
        tables = {where.reference.referencing_table for where in listed}
        beside = {where.reference.referenced_table for where in listed}
        beside |= {each.users_table for where in listed for each in where.people}
        strange = await repairs.strangers(self.connection, sorted(tables), beside=sorted(beside))
        if strange:
            raise RepairRefusedError(
                "a table that belongs to somebody else refers to these",
                detail=", ".join(strange),
                hint="its owner's code would run with your rights: alter table … owner to …, or --only what it does not refer to",
            )

    async def _steps(self, where: PlannedReference) -> list[PlannedStep]:
        steps: list[PlannedStep] = []
        for tally in await self._tallies(where):
            if tally.reason == "healable" and len(where.sources) > 1:
                steps += [await self._by_source(where, source) for source in where.sources]
            else:
                steps += await self._step(where, tally)
        return await self._with_along(where, [step for step in steps if step.rows])

    async def _with_along(self, where: PlannedReference, steps: Sequence[PlannedStep]) -> list[PlannedStep]:
        """Say of each step that takes rows away how many others go along with them."""
        reasons = [step.reason for step in steps if step.takes_rows]
        if not reasons:
            return list(steps)
        table = where.reference.referencing_table
        counted = await repairs.along(self.connection, where.selection, table, reasons, most=_ALONG_COUNTED)
        return [
            replace(step, along=None if counted is None else counted.get(step.reason, {})) if step.takes_rows else step
            for step in steps
        ]

    async def _tallies(self, where: PlannedReference) -> list[Tally]:
        async with self.connection.transaction(readonly=True):
            tallies = await orphans.tally(self.connection, where.reference, where.people)
        return sorted(tallies, key=lambda tally: tally.reason)

    async def _by_source(self, where: PlannedReference, source: KnownSource) -> PlannedStep:
        """Return the step for what one of several sources can heal."""
        selection = await orphans.selection(self.connection, where.reference, [source.people])
        own = replace(where, sources=(source,), selection=selection)
        healable = [tally for tally in await self._tallies(own) if tally.reason == "healable"]
        if not healable:
            return PlannedStep(own, "healable", 0, 0, strategy=None)
        (step,) = await self._step(own, healable[0])
        return replace(step, argument=f"source {source.source_id}") if step.strategy == "heal" else step

    async def _step(self, where: PlannedReference, tally: Tally) -> list[PlannedStep]:
        """Return what is done with the orphans of one reason, and what of them stays."""
        reason = tally.reason
        step = PlannedStep(where, reason, tally.orphans, tally.keys, strategy=None)
        if where.is_guess:
            return [replace(step, why=f"a guess by its name; --reference '{where.reference.name}' says that it is one")]
        on_delete = next((says for name, says in self.wishes.on_delete.items() if is_called(where.reference, name)), None)
        if not where.sources and not any(it.is_for(where.reference) and it.reason == reason for it in self.wishes.choices):
            theirs = where.reference.referenced_table, where.reference.referenced_columns
            if parents := await repairs.parents(self.connection, *theirs):
                return [replace(step, why=_UNATTACHED.format(theirs[0], ", ".join(parents)))]
        decision = decide(where.reference, reason, self.wishes.choices, on_delete=on_delete)
        step = replace(step, strategy=decision.strategy, argument=decision.argument, why=decision.why)
        if decision.is_refused:
            raise _refused(step, decision.why)
        if decision.strategy == "heal" and where.source is not None and where.source.is_paused:
            raise _refused(step, f"the profile source {where.source.source_id} is paused: pgmend resume")
        if decision.strategy in {"reassign", "nullify", "map"}:
            return await self._changing(step)
        return [step]

    async def _changing(self, step: PlannedStep) -> list[PlannedStep]:
        columns = columns_of(step)
        if step.strategy != "nullify" and len(columns) != 1:
            raise _refused(step, "which column of a composite key is to be changed is not known")
        keys = await repairs.referenced(self.connection, step.where.reference.referencing_table, columns)
        if keys:
            raise _refused(step, f"the column is referred to by {', '.join(keys)}")
        if step.strategy == "nullify":
            return [step]
        mapping = self.wishes.mappings[step.argument or ""] if step.strategy == "map" else {}
        await self._refuse_missing_keys(step, columns[0], set(mapping.values()) or {step.argument or ""})
        return await self._mapped(step, mapping) if step.strategy == "map" else [step]

    async def _refuse_missing_keys(self, step: PlannedStep, column: str, keys: Iterable[str]) -> None:
        reference = step.where.reference
        referenced = reference.referenced_columns[reference.referencing_columns.index(column)]
        missing = await repairs.without_row(self.connection, reference.referenced_table, referenced, keys)
        if missing:
            more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
            raise _refused(step, f"{reference.referenced_table} has no {', '.join(sorted(missing)[:_NAMED])}{more}")

    async def _mapped(self, step: PlannedStep, mapping: Mapping[str, str]) -> list[PlannedStep]:
        """Return the orphans that the file names, and those that it does not."""
        rows, keys = await repairs.mapped(self.connection, step.where.selection, step.reason, mapping)
        rest = replace(step, rows=step.rows - rows, keys=step.keys - keys, strategy=None, why=f"not in {step.argument}")
        return [replace(step, rows=rows, keys=keys, mapping=mapping), rest]


def _refuse_unknown(names: Iterable[str], known: Sequence[Reference]) -> None:
    """Refuse a name that no reference answers to, and say which there are."""
    for name in names:
        if not any(is_called(reference, name) for reference in known):
            raise RepairRefusedError(
                f"no reference is called {name}",
                detail="there are " + (", ".join(reference.name for reference in known) or "none"),
                hint="--reference adds one that no foreign key declares",
            )


def columns_of(step: PlannedStep) -> tuple[str, ...]:
    """Return the columns that a changing strategy would set."""
    where = step.where
    return changed_columns(where.reference, where.reference.column_of(where.source.people) if where.source else None)


def _refused(step: PlannedStep, why: str) -> RepairRefusedError:
    what = f"{step.strategy} is not possible for {step.where.reference.name}, {step.reason}"
    return RepairRefusedError(what, detail=why, hint="choose another strategy")


def read_ends(text: str) -> tuple[End, End]:
    """Read ``orders.user_id=profiles.id``. Raises RepairRefusedError."""
    try:
        return read_reference(text)
    except ValueError as error:
        raise RepairRefusedError(f"{text!r} names no reference", detail=str(error), hint=_REFERENCE_HINT) from error
