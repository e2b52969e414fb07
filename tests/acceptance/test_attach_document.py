"""docs/attach.md is a walk that anybody can take: every command of it is run, and prints what stands there."""

from pathlib import Path

import pytest

from tests.conftest import StartWorker
from tests.support.applications import Supabase
from tests.support.database import Database
from tests.support.walk import Walk, steps

DOCUMENT = "attach.md"


async def test_plain_application_is_attached_as_the_document_says(
    empty_database: Database, start: StartWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nothing to attached, changed, and detached again."""
    monkeypatch.chdir(tmp_path)
    walk = Walk(empty_database, empty_database.url, "shop", start)
    for step in steps(DOCUMENT, "A plain application"):
        await walk.take(step)

    assert walk.strayed == []


async def test_hosted_application_is_attached_as_the_document_says(supabase: Supabase, start: StartWorker) -> None:
    """The users belong to somebody else, and the installer is no superuser."""
    walk = Walk(supabase.database, supabase.url, "hosted", start)
    for step in steps(DOCUMENT, "An application with hosted users"):
        await walk.take(step)

    assert walk.strayed == []


def test_document_has_steps_to_take() -> None:
    """A walk without steps would always succeed."""
    sections = ("A plain application", "An application with hosted users")

    assert [len(list(steps(DOCUMENT, section))) for section in sections] == [20, 7]
