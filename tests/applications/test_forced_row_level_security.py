"""An installer for whom row-level security holds as for everybody else, on users, profiles and referencing tables."""

import asyncpg
import pytest

from tests.applications.conftest import INSTALLER, SUPABASE, Project
from tests.support.database import count
from tests.support.workload import settled
from worker.store.connection import Connection

ATTACH = (SUPABASE / "attach.sql").read_text()
FORCED = """
    alter table public.profiles force row level security;
    alter table public.chat_messages force row level security;
    alter table public.conversations force row level security
"""


def remedy(error: asyncpg.PostgresError) -> str:
    """Return the statement that the hint of a refusal gives."""
    return str(error.hint).partition("or: ")[2]


async def test_attaching_what_the_installer_cannot_see_is_refused(no_bypass: Connection, installer: Connection) -> None:
    """Every user would be taken for erased, and nobody healed: the refusal names the table, and its hint mends it."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"hides rows of auth\.users") as refused:
        await installer.execute(ATTACH)
    await no_bypass.execute(remedy(refused.value))
    await installer.execute(ATTACH)

    await installer.execute(FORCED)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"hides rows of public\.profiles") as refused:
        await installer.execute(ATTACH)
    await installer.execute(remedy(refused.value))
    await installer.execute(ATTACH)


async def test_forced_tables_heal_ensure_and_replay_as_others_do(
    project: Project, no_bypass: Connection, installer: Connection
) -> None:
    """With the policies of the hints the installer's rights are enough, and the writers' own policies still judge."""
    await no_bypass.execute(f"create policy pgmend on auth.users to {INSTALLER} using (true)")
    await installer.execute(f"create policy pgmend on public.profiles to {INSTALLER} using (true); {FORCED}; {ATTACH}")
    ensured, parked = await project.sign_up(), await project.sign_up()

    async with project.request(ensured) as request:
        await request.execute("insert into public.chat_messages (content) values ('hello')")
    async with project.request(parked) as request:
        row = "jsonb_build_object('owner_id', auth.uid(), 'title', 'Help')"
        assert "parked" in await request.fetchval(f"select pgmend.insert_or_park('public.conversations', {row})")
    async with project.worker():
        await settled(installer)

    assert await count(installer, "public.profiles") == 2
    assert await count(no_bypass, "public.chat_messages") == await count(no_bypass, "public.conversations") == 1
