"""The doctor, in the test's own process."""

from dataclasses import replace
from typing import Any

from tests.support.database import Database
from worker.core.finding import Finding, Report
from worker.examination import Examination, Wishes
from worker.store.connection import Target, close, connect


async def examined(url: str, *, listen_url: str | None = None, **wishes: Any) -> Report:
    """Return the doctor's report on a database."""
    target = Target(url, application_name="pgmend doctor")
    wanted = {"bell_patience": 5.0} | wishes
    connection = await connect(replace(target, prepared_statements=False))
    try:
        return await Examination(connection, Wishes(target, Target(listen_url or url), **wanted)).run()
    finally:
        await close(connection)


async def findings(database: Database, *, role: str = "postgres", **wishes: Any) -> list[Finding]:
    """Return what the doctor finds as a role."""
    return list((await examined(database.cluster.url(database.name, role), **wishes)).findings)


def checks(found: list[Finding]) -> set[str]:
    """Return the names of the checks that have found something."""
    return {finding.check for finding in found}


def of(found: list[Finding], check: str) -> list[Finding]:
    """Return the findings of one check."""
    return [finding for finding in found if finding.check == check]
