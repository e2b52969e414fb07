"""The survey sees what its role may see, says what it may not, and stands in nobody's way."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import Database, drop_database
from tests.support.surveyed import NAMED, PEOPLE, surveyed
from worker.commands.diagnose_view import lines
from worker.core.diagnosis import Examined
from worker.core.verification import Check, checks
from worker.embedded import Cluster
from worker.store.connection import Connection

TABLES = f"""
    {PEOPLE};
    create table public.orders (user_id uuid);
    create table public.leads (user_id uuid);
    create schema vault;
    create table vault.bills (user_id uuid);
    insert into public.orders values (md5('healable')::uuid);
    insert into public.leads values (md5('healable')::uuid);
    grant select on public.users, public.profiles, public.orders to clerk
"""


@pytest.fixture
async def clerk(cluster: Cluster, empty_database: Database) -> AsyncIterator[str]:
    """The address of a role that may read users, profiles and orders, and neither the leads nor the vault."""
    admin = await asyncpg.connect(cluster.url())
    await admin.execute("create role clerk login")
    owner = await empty_database.connect()
    await owner.execute(TABLES)
    yield cluster.url(empty_database.name, "clerk")
    await drop_database(empty_database)
    await admin.execute("drop role clerk")
    await admin.close()


@pytest.fixture
async def owner(clerk: str, empty_database: Database) -> Connection:
    """A session of the owner of the tables."""
    assert clerk
    return await empty_database.connect()


async def seen(url: str, **wishes: object) -> dict[str, Examined]:
    """Return what a survey sees, by referencing table."""
    return {it.reference.referencing_table: it for it in (await surveyed(url, NAMED, **wishes)).examined}


async def test_table_without_rights_is_named_and_ends_nothing(clerk: str) -> None:
    """The others are counted; what could not be read is not said to be clean, nor that it has no index."""
    found = await seen(clerk)

    assert found["public.orders"].orphans == 1
    assert found["public.leads"].unseen == "permission denied for table leads (SQLSTATE 42501)"
    assert found["vault.bills"].unseen == "permission denied for schema vault (SQLSTATE 42501)"
    assert not found["vault.bills"].index_is_known


async def test_schema_pgmend_that_lets_nobody_in_is_as_if_it_were_not_there(clerk: str, owner: Connection) -> None:
    """A role without any right on it surveys tables that it names itself, and refuses nothing for want of it."""
    await owner.execute("create schema pgmend")
    found = await seen(clerk)

    assert found["public.orders"].orphans == 1


async def test_what_is_not_seen_is_not_passed(clerk: str) -> None:
    """No proof is no pass, for orphans, users and indexes alike."""
    found: list[Check] = [check for check in checks(await surveyed(clerk, NAMED)) if check.state == "unseen"]

    assert {(check.name, check.subject) for check in found} == {
        ("no_orphans", "leads.user_id=profiles.id"),
        ("no_orphans", "vault.bills.user_id=profiles.id"),
        ("key_indexed", "vault.bills.user_id=profiles.id"),
    }
    assert not any(check.is_passed for check in found)


@pytest.mark.parametrize("table", ["orders", "profiles", "users"])
async def test_rows_that_a_policy_hides_are_not_taken_for_absent(clerk: str, owner: Connection, table: str) -> None:
    """A hidden profile makes no orphan, and a hidden user nobody unknown: the table is named instead."""
    await owner.execute(f"alter table public.{table} enable row level security, force row level security")

    reason = (await seen(clerk))["public.orders"].unseen

    assert f'row-level security policy for table "{table}"' in reason


async def test_owner_is_no_exception_where_row_security_is_forced(clerk: str, owner: Connection) -> None:
    """The owner of a table whose policies bind the owner, too, would not see its rows either."""
    await owner.execute("alter table public.orders force row level security, enable row level security, owner to clerk")

    assert "row-level security" in (await seen(clerk))["public.orders"].unseen


async def test_role_that_sees_all_rows_counts_them_all(cluster: Cluster, owner: Connection, empty_database: Database) -> None:
    """A superuser, or a role with BYPASSRLS, is not stopped by policies."""
    await owner.execute("alter table public.orders force row level security, enable row level security")

    assert (await seen(cluster.url(empty_database.name)))["public.orders"].orphans == 1


async def test_users_without_rights_are_named(clerk: str, owner: Connection) -> None:
    """Coverage is not seen, and the columns of the profiles are told all the same."""
    await owner.execute("revoke select on public.users from clerk")

    (standing,) = (await surveyed(clerk, NAMED)).standings

    assert standing.unseen == "permission denied for table users (SQLSTATE 42501)"
    assert (standing.coverage, [column.name for column in standing.columns]) == (None, ["id", "org"])


async def test_locked_table_is_waited_for_a_moment(clerk: str, owner: Connection) -> None:
    """A migration under way is not queued behind for long: behind us would queue everybody else."""
    async with owner.transaction():
        await owner.execute("lock table public.orders in access exclusive mode")
        found = await seen(clerk, lock_seconds=0.05)

    assert found["public.orders"].unseen == "canceling statement due to lock timeout (SQLSTATE 55P03)"
    assert set(found) == {"public.orders", "public.leads", "vault.bills"}


async def test_question_that_takes_too_long_is_ended(clerk: str, owner: Connection) -> None:
    """By the server, after as long as wished; the other questions are asked all the same."""
    await owner.execute("create function public.slow() returns boolean language plpgsql as $$ begin loop null; end loop; end $$")
    diagnosis = await surveyed(clerk, replace(NAMED, eligible_when="public.slow()"), statement_seconds=0.2)

    assert diagnosis.standings[0].unseen == "took longer than 0.2 s"
    assert {it.unseen for it in diagnosis.examined if it.reference.referencing_table == "public.orders"} == {
        "took longer than 0.2 s"
    }


async def test_writers_write_while_the_survey_reads(clerk: str, owner: Connection) -> None:
    """A survey runs through while rows are written and not committed, and does not see them."""
    async with owner.transaction():
        await owner.execute("insert into public.orders values (md5('unknown')::uuid)")
        await owner.execute("lock table public.users in share row exclusive mode")
        found = await seen(clerk, lock_seconds=0.05)

    assert (found["public.orders"].orphans, found["public.orders"].unseen) == (1, "")


LEADS_THAT_LEAD_NOWHERE = """
    set session_replication_role = replica;
    insert into public.leads (user_id, source) select gen_random_uuid(), 'test' from generate_series(1, 2);
    reset session_replication_role;
    create table public.tickets (user_id uuid)
"""


@pytest.fixture(params=["pgmend_worker", "pgmend_operator"])
async def lent(request: pytest.FixtureRequest, cluster: Cluster, database: Database, make_role: MakeRole) -> str:
    """The address for a login of a role of pgmend, which may read no table of the application; two leads are orphans."""
    await make_role("lent", f"login in role {request.param}")
    await (await database.connect()).execute(LEADS_THAT_LEAD_NOWHERE)
    return cluster.url(database.name, "lent")


async def test_orphans_of_keys_are_counted_for_the_worker_and_for_whoever_is_on_call(lent: str) -> None:
    """With rights that pgmend lends; a column without a key is not seen, and no time is made up."""
    found = {it.reference.referencing_table: it for it in (await surveyed(lent, None)).examined}
    leads, tickets = found["public.leads"], found["public.tickets"]

    assert (leads.orphans, leads.unseen, leads.is_lent) == (2, "", True)
    assert [(tally.reason, tally.sample) for tally in leads.tallies] == [("unknown", ())]
    assert (tickets.is_lent, tickets.unseen) == (False, "permission denied for table tickets (SQLSTATE 42501)")


async def test_closed_schema_hides_no_reference(lent: str, database: Database) -> None:
    """A worker, or whoever is on call, needs not even the use of the application's schema to be told of its foreign keys."""
    await (await database.connect()).execute("revoke usage on schema public from public")

    found = {it.reference.referencing_table: it for it in (await surveyed(lent, None)).examined}

    assert (found["public.leads"].orphans, found["public.leads"].is_lent) == (2, True)
    assert found["public.tickets"].unseen == "permission denied for schema public (SQLSTATE 42501)"


async def test_report_on_what_is_not_seen_never_ends_with_no_orphans(lent: str, database: Database) -> None:
    """Some of it, or all of it: the last line says so, and the one before who sees the rest."""
    some = list(lines(await surveyed(lent, None)))
    await (await database.connect()).execute(
        "revoke execute on function pgmend.tally_orphans from pgmend_worker, pgmend_operator"
    )
    nothing = list(lines(await surveyed(lent, None)))

    assert some[-1].startswith("2 orphans in what was seen, 1 reference not seen, ")
    assert "keys and times take the right to read the table" in "\n".join(some)
    assert nothing[-1].startswith("orphans not seen (6 references), ")
    assert nothing[-3] == "not seen     The role that ran pgmend migrate sees all of it."
