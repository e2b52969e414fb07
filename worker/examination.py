"""The doctor's examination: looks at everything, one read-only transaction a look, and lets the core judge.

What this role may not see, or what takes too long, becomes a note and never an error of the doctor's own.
"""

from dataclasses import dataclass, field

import asyncpg

from worker.core.doctor.rights import judge_unreadable
from worker.core.doctor.server import Server, judge_server, judge_way
from worker.core.doctor.users import not_tried
from worker.core.doctor.wording import Source
from worker.core.finding import Finding, Report, found, make_report
from worker.errors import MigrationDriftError, PgmendError, SchemaNewerError
from worker.looks import LOOKS, Look, Sight, at_absences, at_conditions, at_failure
from worker.probing import probe
from worker.store import doctor, migrations
from worker.store.connection import Connection, Target, failure_of, is_lost
from worker.trial import LOCK_SECONDS, try_recipe


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is examined, and within which limits, in seconds."""

    target: Target
    listen_target: Target
    bell_patience: float
    statement_seconds: float = 5.0
    with_trial: bool = True
    worker_role: str | None = None
    """Whose rights are judged as the worker's; None: the catalog says who that is."""


@dataclass(slots=True)
class Examination:
    """One run of the doctor, on a connection that relies on no prepared statement."""

    connection: Connection
    wishes: Wishes
    sight: Sight = field(init=False)

    def __post_init__(self) -> None:
        self.sight = Sight(self.wishes.worker_role)

    async def run(self) -> Report:
        """Look at everything and return the report."""
        async with self.connection.transaction(readonly=True):
            server = await doctor.server(self.connection)
        findings = [*judge_server(server), *await self._way(server)]
        if not server.schema_exists:
            findings.append(found("schema_missing", server.database, what="there is no schema pgmend", mend="pgmend migrate"))
        elif not server.schema_is_readable:
            findings += judge_unreadable(server.role, judges_another=self.wishes.worker_role is not None)
        else:
            schema_findings, is_known = await self._schema()
            findings += schema_findings
            findings += await self._installation(server) if is_known else []
        return make_report(self.sight.facts, findings)

    async def _way(self, server: Server) -> list[Finding]:
        standby = " (standby)" if server.is_standby else ""
        self.sight.facts |= {"server": f"Postgres {server.version}{standby}", "database": server.database, "role": server.role}
        if server.is_standby:
            return []  # nobody can LISTEN there
        try:
            way = await probe(self.wishes.target, self.wishes.listen_target, patience=self.wishes.bell_patience)
        except (PgmendError, asyncpg.PostgresError) as error:
            return [found("not_seen", "the way to the server", what=str(error))]
        self.sight.facts["pooler"] = str(way.pooler)
        return judge_way(way)

    async def _schema(self) -> tuple[list[Finding], bool]:
        """Return what is wrong with the schema, and whether it is one that the looks fit."""
        subject = "pgmend.migrations"
        try:
            async with self.connection.transaction(readonly=True):
                state = await migrations.status(self.connection)
        except SchemaNewerError as error:
            mend = "pip install --upgrade pgmend"
            return [found("schema_newer", subject, what=error.detail, mend=mend)], False
        except MigrationDriftError as error:
            return [found("migration_drift", subject, what=f"{error.what}: {error.detail}", mend=error.hint)], True
        self.sight.facts["migrations"] = f"{len(state.applied)} applied, {len(state.pending)} pending"
        if state.pending:
            what = f"{len(state.pending)} pending, the first {state.pending[0].name}"
            return [found("migrations_pending", subject, what=what, mend="pgmend migrate")], False
        return [], True

    async def _installation(self, server: Server) -> list[Finding]:
        findings: list[Finding] = []
        for part, look in LOOKS.items():
            findings += await self._look(part, look)
        for source in self.sight.sources:
            findings += await self._look(f"the conditions of {source.name}", at_conditions(source))
            findings += await self._look(f"the last sweep of {source.name}", at_failure(source))
            if source.source_id in self.sight.unjudged:
                continue
            findings += await self._look(f"the users of {source.name}", at_absences(source))
            findings += await self._trial(source, server)
        return findings

    async def _look(self, part: str, look: Look) -> list[Finding]:
        try:
            async with self.connection.transaction(readonly=True):
                await doctor.limit(self.connection, statement_seconds=self.wishes.statement_seconds, lock_seconds=LOCK_SECONDS)
                return await look(self.connection, self.sight)
        except asyncpg.PostgresError as error:
            if is_lost(error, self.connection):
                raise
            failure = failure_of(error)
            return [found("not_seen", part, what=f"SQLSTATE {failure.sqlstate}: {failure.message}")]

    async def _trial(self, source: Source, server: Server) -> list[Finding]:
        if not self.wishes.with_trial:
            return [not_tried(source, "--no-trial")]
        if server.is_standby:
            return [not_tried(source, "a standby writes nothing")]
        if not self.sight.role_may_work:
            return [not_tried(source, f"{server.role} may not heal")]
        return await try_recipe(self.connection, source, statement_seconds=self.wishes.statement_seconds)
