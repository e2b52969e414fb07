"""The survey in the test's own process, and databases for it that know nothing of pgmend."""

from typing import Any

from tests.support.database import Database
from worker.core.diagnosis import Diagnosis, Examined
from worker.store.connection import Target, close, connect
from worker.survey import Named, Survey, Wishes

SOFTLY = "users.deleted_at is not null"
NAMED = Named("public.users", "public.profiles", erased_when=SOFTLY)

PEOPLE = """
    create table public.users (id uuid primary key, deleted_at timestamptz);
    create table public.profiles (id uuid primary key, org int not null default 1, unique (org, id));
    insert into public.users
    select md5(name)::uuid, case when name = 'erased' then now() end
    from unnest(array['whole', 'healable', 'erased']) as name;
    insert into public.profiles select id from public.users where id = md5('whole')::uuid
"""
"""Users and profiles; the key of somebody is ``md5(name)::uuid``: whole, healable, erased; anybody else is unknown."""


async def surveyed(url: str, named: Named | None = NAMED, **wishes: Any) -> Diagnosis:
    """Return what a survey sees; a reference is given as ``orders.user_id=profiles.id``."""
    pairs = tuple(tuple(each.split("=")) for each in wishes.pop("references", ()))
    connection = await connect(Target(url, prepared_statements=False))
    try:
        return await Survey(connection, Wishes(named, pairs, **wishes)).run()
    finally:
        await close(connection)


async def examined(database: Database, table: str, **wishes: Any) -> Examined:
    """Return what a survey sees of the one reference from a table."""
    diagnosis = await surveyed(database.url, **wishes)
    (found,) = [it for it in diagnosis.examined if it.reference.referencing_table == table]
    return found


def by_reason(found: Examined) -> dict[str, tuple[int, int]]:
    """Return orphans and distinct keys of each reason."""
    return {tally.reason: (tally.orphans, tally.keys) for tally in found.tallies}
