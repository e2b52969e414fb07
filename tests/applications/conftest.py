"""A Supabase-shaped project: a cluster of its own, for its roles are the cluster's; a database for each test."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.database import Database, create_database, drop_database
from tests.support.process import WorkerProcess, run_command, start_worker
from worker import embedded
from worker.store.connection import Connection, Target, connect

SUPABASE = Path(__file__).parent / "supabase"
INSTALLER = "project_postgres"
WORKER = "project_worker"


@dataclass(slots=True)
class Project:
    """One database of the cluster, and who comes to it."""

    database: Database

    def url(self, role: str) -> str:
        """Return the address for a login."""
        return self.database.cluster.url(self.database.name, role)

    async def log_in(self, role: str) -> Connection:
        """Open a session of a login, closed with the test."""
        session = await connect(Target(self.url(role)))
        self.database._open.append(session)
        return session

    async def sign_up(self, email: str | None = None, **columns: object) -> str:
        """Sign somebody up as the authentication service does; return the key."""
        key = str(uuid.uuid4())
        session = await self.log_in("supabase_auth_admin")
        names = ["id", "email", *columns]
        places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
        await session.execute(
            f"insert into users ({', '.join(names)}) values ({places})", key, email or f"{key}@example.org", *columns.values()
        )
        return key

    @asynccontextmanager
    async def request(self, user_key: str | None) -> AsyncIterator[Connection]:
        """One request as the HTTP API runs it: a transaction under role and claims; of nobody in particular without a key."""
        role = "authenticated" if user_key else "anon"
        session = await self.log_in("authenticator")
        async with session.transaction():
            await session.execute(f"set local role {role}")
            claims = {"role": role} | ({"sub": user_key} if user_key else {})
            await session.execute("select set_config('request.jwt.claims', $1, true)", json.dumps(claims))
            yield session

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[WorkerProcess]:
        """A real worker process, logged in as a role that may do what pgmend_worker may, and nothing else."""
        started = await start_worker(self.url(WORKER))
        try:
            yield started
        finally:
            await started.kill()


@pytest.fixture(scope="session")
def project_cluster() -> Iterator[embedded.Cluster]:
    """A private server with the roles of a project."""
    major = os.environ.get("PGMEND_TEST_PG")
    with embedded.start(embedded.find(int(major) if major else None)) as running:
        yield running


@pytest.fixture(scope="session")
def project_template(project_cluster: embedded.Cluster) -> str:
    """The name of a database with the application on it, into which pgmend was installed by somebody who is no superuser."""

    async def build() -> str:
        project = Project(await create_database(project_cluster))
        superuser = await project.log_in("postgres")
        await superuser.execute((SUPABASE / "roles.sql").read_text())
        await give(project)
        await superuser.execute((SUPABASE / "auth.sql").read_text())
        installer = await project.log_in(INSTALLER)
        await installer.execute((SUPABASE / "application.sql").read_text())
        status, _, stderr = await run_command(project.url(INSTALLER), "migrate")
        assert (status, stderr) == (0, "")
        await installer.execute((SUPABASE / "attach.sql").read_text())
        for session in project.database._open:
            await session.close()
        return project.database.name

    with ThreadPoolExecutor(1) as pool:  # a loop of its own, away from that of any test
        return pool.submit(asyncio.run, build()).result()


@pytest.fixture
async def project(project_cluster: embedded.Cluster, project_template: str) -> AsyncIterator[Project]:
    """A project of the test's own, with pgmend attached."""
    project = Project(await create_database(project_cluster, project_template))
    await give(project)
    yield project
    await drop_database(project.database)


@pytest.fixture
async def no_bypass(project: Project) -> AsyncIterator[Connection]:
    """A superuser's session, while row-level security holds for the installer too."""
    superuser = await project.log_in("postgres")
    await superuser.execute(f"alter role {INSTALLER} nobypassrls")
    yield superuser
    await superuser.execute(f"alter role {INSTALLER} bypassrls")


@pytest.fixture
async def installer(project: Project) -> Connection:
    """A session of the one who installed pgmend."""
    return await project.log_in(INSTALLER)


async def give(project: Project) -> None:
    """Make the project's database the installer's, as it is with a project of one's own."""
    superuser = await project.log_in("postgres")
    await superuser.execute(f"alter database {project.database.name} owner to {INSTALLER}")
