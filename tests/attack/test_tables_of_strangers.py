"""Whoever owns a table chooses code that a look at it runs: nobody's runs with the rights of whoever looks for orphans."""

from io import StringIO

import pytest

from tests.support.database import Database, count
from tests.support.process import run_command
from tests.support.shop_of_orphans import planned, settled
from worker.core.verification import checks
from worker.errors import RepairRefusedError
from worker.log import Log
from worker.runtime.orphan_watch import OrphanWatch
from worker.store.connection import Connection
from worker.survey import Survey, Wishes

STRANGER = """
    do $$ begin create role squatter; exception when duplicate_object or unique_violation then null; end $$;
    create schema den authorization squatter;
    grant usage on schema public to squatter;
    grant references on public.profiles, public.orders to squatter;
    set role squatter;
    create table den.invoices (id integer primary key, user_id uuid, orders_id uuid);
    create function den.seize() returns boolean language plpgsql immutable as $$
    begin
        if current_user <> 'squatter' then
            perform set_config('den.ran_as', current_user, false);
        end if;
        return true;
    end $$;
    insert into den.invoices (id) select generate_series(1, 10);
    create index on den.invoices (id) where den.seize();
    grant usage on schema den to public;
    grant select on den.invoices to public;
    reset role
"""
"""The planner asks an immutable function of the condition of an index, with the rights of whoever reads the table."""

DECLARED = """
    set role squatter;
    alter table den.invoices add foreign key (user_id) references public.profiles (id) not valid;
    reset role
"""
RAN_AS = "select current_setting('den.ran_as', true)"
INVOICES = "den.invoices.user_id=public.profiles.id"


@pytest.fixture(params=["named like a key", "a key"])
async def den(request: pytest.FixtureRequest, database: Database) -> Connection:
    """A session beside a stranger's table, which it may read."""
    connection = await database.connect()
    await connection.execute(STRANGER)
    if request.param == "a key":
        await connection.execute(DECLARED)
    return connection


async def test_survey_runs_no_code_of_a_stranger_and_says_whose_table_it_left_out(den: Connection) -> None:
    """``diagnose`` and ``verify`` look at the others; a mere name of a column makes nothing fail."""
    seen = await Survey(den, Wishes()).run()
    (left_out,) = [it for it in seen.examined if it.reference.referencing_table == "den.invoices"]
    states = {check.name: check.state for check in checks(seen) if check.subject.startswith("den.")}

    assert await den.fetchval(RAN_AS) in {None, ""}
    assert "belongs to squatter" in left_out.unseen
    assert states["no_orphans"] == ("unseen" if left_out.reference.is_declared else "warns")


async def test_stranger_whom_a_person_names_is_looked_at(den: Connection) -> None:
    """Whoever spells the reference has decided."""
    seen = await Survey(den, Wishes(references=(("den.invoices.user_id", "public.profiles.id"),))).run()
    (named,) = [it for it in seen.examined if it.reference.referencing_table == "den.invoices"]

    assert (named.unseen, named.rows) == ("", 10)
    assert await den.fetchval(RAN_AS) == "postgres"


async def test_watch_of_the_sweep_runs_no_code_of_a_stranger(den: Connection, log: Log, log_lines: StringIO) -> None:
    """The worker may read what everybody may."""
    await OrphanWatch(interval=86_400, statement_seconds=5).look(den, log)

    assert await den.fetchval(RAN_AS) in {None, ""}
    assert '"reference": "den.invoices.user_id=profiles.id"' in log_lines.getvalue()
    assert '"event": "reference_skipped"' in log_lines.getvalue()


async def test_plan_of_a_repair_runs_no_code_of_a_stranger(database: Database, den: Connection) -> None:
    """It names the reference that it left out."""
    session = await settled(database)
    plan = await planned(session)

    assert await count(den, "den.invoices") == 10
    assert await session.fetchval(RAN_AS) in {None, ""}
    assert [(it.name, it.stranger) for it in plan.strange] == [(INVOICES, "squatter")]


async def test_constrain_reads_no_table_of_a_stranger(database: Database, den: Connection) -> None:
    """It leaves the reference out, and says whose table it is; the others are done."""
    await den.execute("alter table public.orders drop constraint fk_orders_user_id")
    status, said, err = await run_command(database.url, "constrain", "--apply")

    assert (status, "left out: the table belongs to squatter" in said) == (0, True), said + err
    assert await count(den, "pg_constraint where conname = 'orders_user_id_fkey' and convalidated") == 1
    assert await count(den, "pg_constraint where conrelid = 'den.invoices'::regclass and contype = 'f' and convalidated") == 0


async def test_rows_of_a_stranger_do_not_go_along(database: Database, den: Connection) -> None:
    """A repair that would have to read them is refused before it looks at anything."""
    await den.execute(
        "alter table public.orders add unique (id); set role squatter;"
        "alter table den.invoices add foreign key (orders_id) references public.orders (id); reset role"
    )
    session = await settled(database)

    with pytest.raises(RepairRefusedError, match=r"refers to these: den\.invoices of squatter"):
        await planned(session)
    assert await session.fetchval(RAN_AS) in {None, ""}
    assert await count(den, "pgmend.repairs") == 0
