"""The doctor and rights: what it sees as the worker, and whom it finds with too few of them or too many."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.conftest import MakeRole
from tests.integration.test_doctor import ON_THE_SAMPLE
from tests.support.database import Database, sign_up
from tests.support.examined import checks, examined, findings, of
from tests.support.workload import park_order, report_order
from worker.errors import NameUnknownError
from worker.store.connection import Connection

NO_REPLAY_FUNCTION = "drop function pgmend.replay_as_1(regclass, name, jsonb, boolean)"


@pytest.fixture
async def without_group(connection: Connection) -> AsyncIterator[None]:
    """A server on which nobody may make roles."""
    await connection.execute("alter role pgmend_worker rename to pgmend_worker_elsewhere")
    yield
    await connection.execute("alter role pgmend_worker_elsewhere rename to pgmend_worker")


async def test_rights_of_the_worker_are_enough(database: Database, make_role: MakeRole) -> None:
    """A member of pgmend_worker gets the whole report; what it may not see is two notes."""
    await make_role("lent_worker", "login in role pgmend_worker")

    found = await findings(database, role="lent_worker")

    assert checks(found) == ON_THE_SAMPLE - {"worker_is_superuser"} | {"not_seen"}
    assert [finding.subject for finding in of(found, "not_seen")] == [
        "the body of the sign-up functions",
        "the users of source 1 (public.users -> public.profiles)",
    ]


async def test_stranger_is_told_what_to_grant(database: Database, make_role: MakeRole) -> None:
    """A role without any right gets one finding, and its mend gives it the rest."""
    await make_role("stranger", "login")
    (finding,) = await findings(database, role="stranger")
    await (await database.connect()).execute(finding.mend)

    assert finding.check == "worker_lacks_rights"
    assert "worker_lacks_rights" not in checks(await findings(database, role="stranger"))


async def test_role_with_some_rights_is_told_which_are_missing(database: Database, make_role: MakeRole) -> None:
    """Being able to look is not being able to work, and the recipe is not tried without the right to heal."""
    await make_role("reader", "login")
    connection = await database.connect()
    await connection.execute("grant usage on schema pgmend to reader; grant select on all tables in schema pgmend to reader")
    found = await findings(database, role="reader")

    assert "delete on table pgmend.careful_events" in of(found, "worker_lacks_rights")[0].what
    assert "may not heal" in of(found, "recipe_not_tried")[0].what


async def test_group_that_was_made_after_the_schema_is_found_bare(database: Database) -> None:
    """A role pgmend_worker without its rights is an error, not a silent nothing."""
    connection = await database.connect()
    await connection.execute("revoke all on all tables in schema pgmend from pgmend_worker")

    assert of(await findings(database), "worker_role_bare")


@pytest.mark.usefixtures("without_group")
async def test_installation_without_the_group_is_a_note(database: Database) -> None:
    """Where roles cannot be made, the worker runs as the installer; that is said, and is no error."""
    (finding,) = of(await findings(database), "worker_role_missing")

    assert finding.severity == "note"


async def test_writer_whom_nobody_can_replay_for_is_found(database: Database, writer: Connection) -> None:
    """First as a warning, and as an error as soon as a row of its own waits."""
    connection = await database.connect()
    key = await sign_up(connection)
    await connection.execute(NO_REPLAY_FUNCTION)
    (before,) = of(await findings(database), "writer_not_replayable")
    await report_order(writer, key)
    (after,) = of(await findings(database), "writer_waits")

    assert before.mend == after.mend == "select pgmend.grant_captures('shop_writer');"
    assert after.what == "1 captured row of it"


@pytest.mark.usefixtures("writer")
async def test_writer_with_a_replay_function_of_its_own_is_served(database: Database) -> None:
    """The function that the grant made helps only as long as it runs with the writer's rights."""
    connection = await database.connect()
    assert "writer_not_replayable" not in checks(await findings(database))

    await connection.execute("alter function pgmend.replay_as_1(regclass, name, jsonb, boolean) security invoker")
    assert "writer_not_replayable" in checks(await findings(database))


async def test_writer_that_is_gone_is_told_apart(database: Database, writer: Connection) -> None:
    """A dropped role is named, with the two ways out; a writer that is this very role needs nothing."""
    connection = await database.connect()
    await park_order(connection, await sign_up(connection))
    assert "writer_waits" not in checks(await findings(database))

    await connection.execute("update pgmend.careful_events set writer_role = 'Nobody now'")
    (finding,) = of(await findings(database), "writer_waits")
    assert "the role is gone" in finding.what
    assert 'create role "Nobody now" nologin' in finding.mend
    await writer.close()


async def test_owner_of_the_functions_who_may_not_heal_is_found(database: Database, make_role: MakeRole) -> None:
    """Each missing right is a grant to paste; `for share` wants UPDATE, which a careful administrator would not think of."""
    await make_role("app_installer")
    connection = await database.connect()
    await connection.execute("alter function pgmend.heal_one_1(text) owner to app_installer")
    lacking = of(await findings(database), "owner_lacks_rights")
    for finding in lacking:
        await connection.execute(finding.mend)

    assert "grant update on public.users to app_installer;" in [finding.mend for finding in lacking]
    assert "owner_lacks_rights" not in checks(await findings(database))


@pytest.mark.parametrize("table", ["public.users", "public.profiles"])
async def test_row_security_that_the_owner_does_not_bypass_is_found(database: Database, make_role: MakeRole, table: str) -> None:
    """The mend is a policy for the owner; an owner who bypasses needs none."""
    await make_role("app_installer")
    connection = await database.connect()
    await connection.execute(f"alter table {table} enable row level security")
    assert "row_security_hides" not in checks(await findings(database))

    await connection.execute("alter function pgmend.heal_one_1(text) owner to app_installer")
    (finding,) = of(await findings(database), "row_security_hides")
    await connection.execute(finding.mend)
    assert "row_security_hides" not in checks(await findings(database))


async def test_captures_of_anon_are_no_opening_and_anything_else_is(database: Database, make_role: MakeRole) -> None:
    """What grant_captures gives to anon is meant; one function more is not."""
    await make_role("anon")
    connection = await database.connect()
    await connection.execute("select pgmend.grant_captures('anon')")
    assert "open_to_outsiders" not in checks(await findings(database))

    await connection.execute("grant execute on function pgmend.heal_1(text[]) to anon")
    (finding,) = of(await findings(database), "open_to_outsiders")
    assert finding.mend == "revoke execute on function pgmend.heal_1(text[]) from anon;"


async def test_audit_table_that_anon_may_read_is_found_unless_it_hides_its_rows(database: Database, make_role: MakeRole) -> None:
    """Default privileges of a hosted database open new tables; row-level security closes them again."""
    await make_role("anon")
    connection = await database.connect()
    await connection.execute("grant select on public.error_logs to anon")
    (finding,) = of(await findings(database), "audit_open")
    await connection.execute("alter table public.error_logs enable row level security")

    assert finding.what == "readable by anon"
    assert "audit_open" not in checks(await findings(database))


async def test_audit_table_that_the_worker_may_not_write_is_found(database: Database, make_role: MakeRole) -> None:
    """The right is on the view, and its owner needs the one on the table."""
    await make_role("lent_worker", "login in role pgmend_worker")
    await make_role("app_installer")
    connection = await database.connect()
    await connection.execute(
        "alter view pgmend.audit_entries owner to app_installer; revoke insert on pgmend.audit_entries from pgmend_worker"
    )
    unreachable = of(await findings(database, role="lent_worker"), "audit_unreachable")
    for finding in unreachable:
        await connection.execute(finding.mend)

    assert [finding.what for finding in unreachable] == [
        "lent_worker may not insert",
        "app_installer, who owns the view on it, may not insert",
    ]
    assert "audit_unreachable" not in checks(await findings(database, role="lent_worker"))


async def test_role_with_one_connection_gets_a_report_all_the_same(database: Database, make_role: MakeRole) -> None:
    """The probes need more than one; that they were refused is a note."""
    await make_role("lonely", "login connection limit 1 in role pgmend_worker")

    found = await findings(database, role="lonely")

    assert "the way to the server" in [finding.subject for finding in of(found, "not_seen")]
    assert "key_not_guarded" in checks(found)


@pytest.fixture
async def operator(make_role: MakeRole) -> str:
    """A login that is on call and nothing else."""
    await make_role("lent_operator", "login in role pgmend_operator")
    return "lent_operator"


@pytest.mark.usefixtures("writer")
async def test_operator_gets_the_report_of_the_worker(database: Database, make_role: MakeRole, operator: str) -> None:
    """Nothing is wrong for the worker, so nothing is for who only asks; what the operator may not see or do is a note."""
    await make_role("lent_worker", "login in role pgmend_worker")
    asked, own = [await findings(database, role=role) for role in (operator, "lent_worker")]

    assert checks(asked) == checks(own)
    assert {finding.severity for finding in of(asked, "not_seen")} == {"note"}
    assert "lent_operator may not heal" in of(asked, "recipe_not_tried")[0].what


async def test_no_mend_widens_the_rights_of_the_operator(database: Database, operator: str) -> None:
    """Not even where the worker lacks every right."""
    connection = await database.connect()
    await connection.execute("revoke all on all tables in schema pgmend from pgmend_worker")
    found = await findings(database, role=operator)

    assert "worker_role_bare" in checks(found)
    assert not any(operator in finding.mend for finding in found)


async def test_login_of_the_worker_that_works_is_judged_whoever_asks(database: Database, operator: str) -> None:
    """A worker that is a superuser is known by its row, also to an operator."""
    connection = await database.connect()
    assert "worker_is_superuser" not in checks(await findings(database, role=operator))

    await connection.execute(
        "insert into pgmend.workers (worker_id, host, pid, version, listening) values ('w', 'h', 1, '0', true)"
    )
    report = await examined(database.cluster.url(database.name, operator))

    assert [finding.subject for finding in of(list(report.findings), "worker_is_superuser")] == ["postgres"]
    assert report.facts["judged role"] == "postgres, as the worker's"


async def test_role_that_somebody_names_is_judged(database: Database, make_role: MakeRole) -> None:
    """An installer asks about the login that is to become the worker's, and the mend is about that one."""
    await make_role("next_worker", "login")
    (finding,) = of(await findings(database, worker_role="next_worker"), "worker_lacks_rights")
    await (await database.connect()).execute(finding.mend)

    assert finding.mend == "grant pgmend_worker to next_worker;"
    assert not {"worker_lacks_rights", "worker_is_superuser"} & checks(await findings(database, worker_role="next_worker"))


async def test_role_that_is_not_there_is_refused(database: Database) -> None:
    """A typing error is no clean report."""
    with pytest.raises(NameUnknownError, match="there is no role nobody_here"):
        await findings(database, worker_role="nobody_here")


async def test_stranger_who_asks_about_the_worker_is_offered_the_right_to_look(database: Database, make_role: MakeRole) -> None:
    """And not the rights of the worker."""
    await make_role("stranger", "login")
    (finding,) = await findings(database, role="stranger", worker_role="pgmend_worker")

    assert (finding.check, finding.mend) == ("not_seen", "grant pgmend_operator to stranger;")
