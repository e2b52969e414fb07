"""The doctor on a hosted database: the installer is no superuser, and the users belong to somebody else."""

from tests.integration.conftest import LogIn, MakeRole
from tests.support.database import Database
from tests.support.examined import checks, findings, of
from worker.store import migrations
from worker.store.connection import Connection

HOSTED = """
    create schema auth authorization auth_admin;
    grant usage on schema auth to hosted;
    create table auth.users (id uuid primary key, email text, phone text, is_anonymous boolean not null default false,
        created_at timestamptz default now(), deleted_at timestamptz);
    alter table auth.users owner to auth_admin;
    grant select, insert, update, references, trigger on auth.users to hosted
"""
APPLICATION = """
    create table app.profiles (id uuid primary key references auth.users (id), username text not null unique);
    alter table app.profiles enable row level security;
    select pgmend.attach_source('auth.users', 'app.profiles', recipe => '{"username": "split_part(users.email, ''@'', 1)"}');
    insert into auth.users (id, email) select gen_random_uuid(), 'ada@' || n from generate_series(1, 2) as n;
    insert into auth.users (id, phone) values (gen_random_uuid(), '+49');
    insert into auth.users (id, is_anonymous) values (gen_random_uuid(), true)
"""


async def hosted(database: Database, make_role: MakeRole, log_in: LogIn) -> Connection:
    """Return the installer's session on a database of that shape, where the administrator's part is done."""
    await make_role("auth_admin")
    await make_role("hosted", "login createrole")
    admin = await database.connect()
    await admin.execute("drop schema public cascade; drop schema pgmend cascade; create schema app authorization hosted")
    await admin.execute(f"grant create on database {database.name} to hosted; {HOSTED}")
    session = await log_in("hosted")
    await migrations.apply(session, error_logs_table="app.error_logs")
    await session.execute(APPLICATION)
    return session


async def test_installer_that_is_no_superuser_gets_the_whole_report(
    database: Database, make_role: MakeRole, log_in: LogIn
) -> None:
    """Nothing is hidden from it; a right that the users' owner has taken back is found."""
    await hosted(database, make_role, log_in)
    await (await database.connect()).execute("revoke update on auth.users from hosted")

    found = await findings(database, role="hosted")

    assert "not_seen" not in checks(found)
    assert [finding.mend for finding in of(found, "owner_lacks_rights")] == ["grant update on auth.users to hosted;"]
    assert not checks(found) & {"worker_is_superuser", "row_security_hides", "open_to_outsiders", "audit_open"}


async def test_recipe_over_the_email_is_refused_for_phones_and_anonymous_users(
    database: Database, make_role: MakeRole, log_in: LogIn
) -> None:
    """The columns of a hosted users table tell the kinds apart."""
    await hosted(database, make_role, log_in)

    refused = of(await findings(database, role="hosted"), "recipe_refused")

    assert [(finding.subject.rpartition(", ")[2], finding.what.partition(":")[0]) for finding in refused] == [
        ("an anonymous user", "SQLSTATE 23502, column username"),
        ("a user with a phone alone", "SQLSTATE 23502, column username"),
    ]
