"""The page on the connection of a worker of few rights."""

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count
from tests.support.letters import dead_order
from tests.support.paged import TOKEN, serving
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection, Target
from worker.web.page import PageOptions


async def test_member_of_pgmend_worker_shows_everything_and_acts_for_a_person(
    database: Database, connection: Connection, path: Path, make_role: MakeRole, log: Log
) -> None:
    """The rights of the worker are enough for each page, and for what a signed-in person does."""
    event_id = await dead_order(connection, path)
    await make_role("lent_worker", "login in role pgmend_worker")
    options = PageOptions(Target(database.cluster.url(database.name, "lent_worker")), TOKEN)

    async with serving(options, log) as visitor:
        await visitor.sign_in()
        places = ("/", "/audit", "/dead-letters", f"/dead-letters/{event_id}", f"/events/{event_id}")
        statuses = [(await visitor.get(place)).status for place in places]
        action = f"/dead-letters/{event_id}/discard"
        done = await visitor.post(action, {"form": (await visitor.get(action)).form(action)})

    assert statuses == [200] * 5
    assert done.status == 303
    assert await count(connection, "public.error_logs where details ->> 'discarded_by' = 'lent_worker'") == 1


async def test_role_that_may_not_read_is_told_so(database: Database, make_role: MakeRole, log: Log) -> None:
    """A missing right is not an outage, and the page does not call it one."""
    await make_role("stranger", "login")

    async with serving(PageOptions(Target(database.cluster.url(database.name, "stranger"))), log) as visitor:
        shown = await visitor.get("/audit")

    assert shown.status == 503
    assert "The database refuses to answer" in shown.main
    assert "a privilege is missing" in shown.main
