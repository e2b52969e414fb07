"""The plan of a repair: which references lead nowhere, why, and what would be done. Reads, and changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from worker.core.reference import Reference
from worker.core.repair_plan import KnownSource, Plan, PlannedReference, PlannedStep
from worker.core.strategy import Choice, changed_columns, decide, is_called
from worker.errors import RepairRefusedError
from worker.store import orphans, references, repairs
from worker.store.connection import Connection


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
        listed = await self._references()
        self._refuse_unknown_names(listed)
        await self._refuse_hidden_rows(listed)
        steps = [step for where in listed for step in await self._steps(where)]
        return Plan(tuple(listed), tuple(steps))

    async def _references(self) -> list[PlannedReference]:
        sources = await repairs.sources(self.connection)
        found: dict[str, PlannedReference] = {}
        for text in self.wishes.references:
            reference = await self._named(text)
            found[reference.name] = await self._where(reference, sources, is_guess=False)
        for source in sources:
            people = source.people
            for reference in await references.declared(self.connection, people.profiles_table):
                found.setdefault(reference.name, await self._where(reference, sources, is_guess=False))
            for reference in await references.intended(self.connection, people.profiles_table, people.profiles_key):
                found.setdefault(reference.name, await self._where(reference, sources, is_guess=True))
        only = self.wishes.only
        return [where for where in found.values() if not only or any(is_called(where.reference, given) for given in only)]

    async def _named(self, text: str) -> Reference:
        near, equals, far = text.partition("=")
        sides = [side.strip().rpartition(".") for side in (near, far)]
        if not equals or not all(table and column for table, _, column in sides):
            raise RepairRefusedError(f"{text!r} names no reference", hint="write orders.user_id=profiles.id")
        (near_table, _, near_column), (far_table, _, far_column) = sides
        for table in (near_table, far_table):
            if await repairs.qualified(self.connection, table) is None:
                raise RepairRefusedError(f"there is no table {table}", hint="write it with its schema")
        pairs = (near_table, _bare(near_column)), (far_table, _bare(far_column))
        reference = await references.named(self.connection, *pairs)
        if reference is None:
            raise RepairRefusedError(f"there is no such column in {text!r}", hint="write orders.user_id=profiles.id")
        return reference

    async def _where(self, reference: Reference, sources: Sequence[KnownSource], *, is_guess: bool) -> PlannedReference:
        source = next((source for source in sources if reference.column_of(source.people) is not None), None)
        selection = await orphans.selection(self.connection, reference, source.people if source else None)
        return PlannedReference(reference, source, selection, is_guess)

    def _refuse_unknown_names(self, listed: Sequence[PlannedReference]) -> None:
        chosen = [choice.reference for choice in self.wishes.choices]
        for name in (*chosen, *self.wishes.only, *self.wishes.on_delete):
            if not any(is_called(where.reference, name) for where in listed):
                raise RepairRefusedError(
                    f"no reference is called {name}",
                    detail="there are " + ", ".join(where.reference.name for where in listed),
                    hint="--reference adds one that no foreign key declares",
                )

    async def _refuse_hidden_rows(self, listed: Sequence[PlannedReference]) -> None:
        tables = {table for where in listed for table in (where.reference.referencing_table, where.reference.referenced_table)}
        tables |= {where.source.people.users_table for where in listed if where.source}
        hidden = await repairs.hidden(self.connection, sorted(tables))
        if hidden:
            raise RepairRefusedError(
                "row-level security hides rows from this role",
                detail=", ".join(hidden),
                hint="connect as the tables' owner where it is not forced, or as a role with bypassrls",
            )

    async def _steps(self, where: PlannedReference) -> list[PlannedStep]:
        counted = await repairs.count(self.connection, where.selection)
        return [await self._step(where, reason, *numbers) for reason, numbers in counted.items()]

    async def _step(self, where: PlannedReference, reason: str, rows: int, keys: int) -> PlannedStep:
        step = PlannedStep(where, reason, rows, keys, strategy=None)
        if where.is_guess:
            return replace(step, why=f"a guess by its name; --reference '{where.reference.name}' says that it is one")
        on_delete = next((says for name, says in self.wishes.on_delete.items() if is_called(where.reference, name)), None)
        decision = decide(where.reference, reason, self.wishes.choices, on_delete=on_delete)
        step = replace(step, strategy=decision.strategy, argument=decision.argument, why=decision.why)
        if decision.is_refused:
            raise _refused(step, decision.why)
        if decision.strategy == "heal" and where.source is not None and where.source.is_paused:
            raise _refused(step, f"the profile source {where.source.source_id} is paused: pgmend resume")
        if decision.strategy in {"reassign", "nullify", "map"}:
            step = await self._changing(step)
        return step

    async def _changing(self, step: PlannedStep) -> PlannedStep:
        columns = columns_of(step)
        if step.strategy != "nullify" and len(columns) != 1:
            raise _refused(step, "which column of a composite key is to be changed is not known")
        keys = await repairs.referenced(self.connection, step.where.reference.referencing_table, columns)
        if keys:
            raise _refused(step, f"the column is referred to by {', '.join(keys)}")
        if step.strategy == "map":
            return replace(step, mapping=self.wishes.mappings[step.argument or ""])
        return step


def columns_of(step: PlannedStep) -> tuple[str, ...]:
    """Return the columns that a changing strategy would set."""
    where = step.where
    return changed_columns(where.reference, where.reference.column_of(where.source.people) if where.source else None)


def _refused(step: PlannedStep, why: str) -> RepairRefusedError:
    what = f"{step.strategy} is not possible for {step.where.reference.name}, {step.reason}"
    return RepairRefusedError(what, detail=why, hint="choose another strategy")


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') and name.endswith('"') else name
