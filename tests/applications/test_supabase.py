"""pgmend on a Supabase-shaped project, installed by a role that is no superuser and does not own the users."""

import json
import uuid

import asyncpg
import pytest

from tests.applications.conftest import INSTALLER, Project
from tests.support.database import count
from tests.support.outbox import dead_letters
from tests.support.process import run_command
from tests.support.waiting import eventually
from tests.support.workload import settled
from worker.store.connection import Connection

SAY = "insert into public.chat_messages (content) values ('hello') returning sender_id::text"
SAY_AS = "insert into public.chat_messages (sender_id, content) values ($1, 'hello')"
OPEN_TO_THE_API = """
    select format('%s: %s', role.rolname, relation.oid::regclass)
    from pg_class as relation, pg_roles as role
    where role.rolname in ('anon', 'authenticated', 'service_role')
        and (relation.relnamespace = 'pgmend'::regnamespace or relation.relname like 'error_logs%')
        and case relation.relkind
            when 'S' then has_sequence_privilege(role.oid, relation.oid, 'usage, select, update')
            when 'r' then has_table_privilege(role.oid, relation.oid, 'select, insert, update, delete, truncate, trigger')
            when 'v' then has_table_privilege(role.oid, relation.oid, 'select, insert, update, delete')
            else false
        end
"""
CALLED_BY = """
    select proname::text from pg_proc
    where pronamespace = 'pgmend'::regnamespace
        and has_schema_privilege($1, pronamespace, 'usage') and has_function_privilege($1, oid, 'execute')
"""


def conversation_of(key: str) -> str:
    """Return a row as the application would insert it."""
    return json.dumps({"owner_id": key, "title": "Help"})


async def park(request: Connection, key: str) -> str:
    """Open a conversation through the capture; return ``stored`` or ``parked``."""
    row = conversation_of(key)
    return str(await request.fetchval("select pgmend.insert_or_park('public.conversations', $1) ->> 'status'", row))


async def test_sign_up_heals(project: Project, installer: Connection) -> None:
    """Whoever the authentication service signs up has a profile a moment later, by a worker that may do little else."""
    async with project.worker() as worker:
        await worker.logged("worker_started")
        key = await project.sign_up(raw_user_meta_data='{"full_name": "Ada"}')

        await eventually(lambda: count(installer, "public.profiles where id = $1 and full_name = 'Ada'", key))

        assert not await worker.has_warned()


async def test_users_from_before_are_found_and_who_is_not_wanted_is_left_out(project: Project, installer: Connection) -> None:
    """The sweep heals whom no trigger announced: with a phone and no address as well, but nobody anonymous or deleted."""
    service = await project.log_in("supabase_auth_admin")
    await service.execute("alter table users disable trigger user")
    wanted = await project.sign_up()
    await service.execute("update users set email = null, phone = '4915112345678' where id = $1", wanted)
    await project.sign_up(is_anonymous=True)
    deleted = await project.sign_up()
    await service.execute("update users set deleted_at = now() where id = $1", deleted)

    async with project.worker() as worker:
        await worker.logged("sweep_finished", users_without_profile=1)
        await settled(installer)

    assert [row["id"] for row in await installer.fetch("select id::text from public.profiles")] == [wanted]


async def test_sign_up_commits_whatever_becomes_of_the_outbox(project: Project, installer: Connection) -> None:
    """The authentication service never meets an error of ours."""
    await installer.execute("drop table pgmend.express_events cascade")

    await project.sign_up()

    assert await count(installer, "auth.users") == 1


async def test_ensure_serves_a_request_under_row_level_security(project: Project, installer: Connection) -> None:
    """A message written in the instant after the sign-up is an ordinary insert, RETURNING included, and no worker is needed."""
    key = await project.sign_up()

    async with project.request(key) as request:
        assert await request.fetchval(SAY) == key

    assert await count(installer, "public.profiles where id = $1", key) == 1


async def test_ensure_keeps_the_honest_error_for_whom_nobody_knows(project: Project) -> None:
    """A token of a user who does not exist, or no longer does, meets the foreign key."""
    async with project.request(str(uuid.uuid4())) as request:
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="chat_messages_sender_id_fkey"):
            await request.fetchval(SAY)


async def test_ensure_stays_within_the_time_limit_of_the_request(project: Project) -> None:
    """Somebody who holds the user's row makes the request wait, and its own statement_timeout ends that."""
    key = await project.sign_up()
    service = await project.log_in("supabase_auth_admin")
    async with service.transaction():
        await service.execute("select from users where id = $1 for update", key)
        async with project.request(key) as request:
            await request.execute("set local statement_timeout = '100ms'")
            with pytest.raises(asyncpg.QueryCanceledError):
                await request.fetchval(SAY)


async def test_parked_insert_is_replayed_as_the_user_who_wrote_it(project: Project, installer: Connection) -> None:
    """The worker puts on role and claims: the policy that compares auth.uid() with the owner lets the row through."""
    key = await project.sign_up()
    async with project.request(key) as request:
        assert await park(request, key) == "parked"

    async with project.worker() as worker:
        await settled(installer)
        assert not await worker.has_warned()

    assert await count(installer, "public.conversations where owner_id = $1", key) == 1
    assert await count(installer, "public.error_logs where error_type = 'INSERT_REPLAYED' and user_id = $1", key) == 1


async def test_forged_owner_is_refused_at_once(project: Project, installer: Connection) -> None:
    """Whoever writes in another's name is refused by the policy, captured by nothing, and makes nobody a profile."""
    victim, forger = await project.sign_up(), await project.sign_up()

    async with project.request(forger) as request:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await park(request, victim)
    async with project.request(forger) as request:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await request.execute(SAY_AS, victim)

    assert await count(installer, "public.profiles") == 0
    assert await count(installer, "pgmend.outbox where kind = 'insert_failed'") == 0


async def test_forged_report_is_refused_at_replay(project: Project, installer: Connection) -> None:
    """A report is believed by nobody: the row is judged as the reporter's, and set aside."""
    victim, forger = await project.sign_up(), await project.sign_up()
    async with project.request(forger) as request:
        await request.execute("select pgmend.report_failed_insert('public.conversations', $1)", conversation_of(victim))

    async with project.worker() as worker:
        await worker.logged("event_dead_lettered", verdict="refused")

    assert await dead_letters(installer) == [("refused", "42501")]
    assert await count(installer, "public.conversations") == 0


async def test_nobody_in_particular_may_call_nothing(project: Project, installer: Connection) -> None:
    """Whoever has not logged in reaches no function of ours, and neither does the service, which was granted none."""
    async with project.request(None) as request:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="schema pgmend"):
            await park(request, str(uuid.uuid4()))

    assert await installer.fetch(CALLED_BY, "anon") == await installer.fetch(CALLED_BY, "service_role") == []


async def test_default_privileges_open_nothing_of_ours(installer: Connection) -> None:
    """What the schema public opens to the API by default is closed again: the audit table, and the sequence of its ids."""
    assert await installer.fetch(OPEN_TO_THE_API) == []


async def test_installer_removes_what_he_put_on_a_table_that_is_not_his(project: Project, installer: Connection) -> None:
    """After an uninstall auth.users is as it was, and sign-ups and requests go on without pgmend."""
    status, _, stderr = await run_command(project.url(INSTALLER), "uninstall")
    key = await project.sign_up()

    assert (status, stderr) == (0, "")
    assert await count(installer, "pg_trigger where not tgisinternal") == 0
    async with project.request(key) as request:
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await request.fetchval(SAY)
