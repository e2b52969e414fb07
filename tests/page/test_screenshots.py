"""The pictures in docs/page: drawn anew with ``./run test tests/page --screenshots``, and small."""

from pathlib import Path as FilePath

import pytest

from tests.support.browser import Tab
from tests.support.busy_hour import live_an_hour, meet_trouble, mend
from tests.support.paged import Visitor
from worker.pipeline import Path
from worker.store.connection import Connection

PICTURES = FilePath(__file__).parents[2] / "docs" / "page"
LARGEST_BYTES = 160_000

WIDE, PHONE = (1280, 720), (390, 844)


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> bool:
    """Whether the pictures are to be written."""
    return bool(request.config.getoption("--screenshots", default=False))


async def take(tab: Tab, name: str, *, keep: bool) -> int:
    """Take a picture of what is open; return its size."""
    png = await tab.screenshot()
    if keep:
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(png)
    return len(png)


async def test_pictures_show_a_whole_and_a_broken_hour(
    tab: Tab, keeper: Visitor, connection: Connection, path: Path, *, keep: bool
) -> None:
    """Light and dark, wide and on a phone; the documents show these files."""
    await live_an_hour(connection, path)
    await tab.look_like(width=WIDE[0], height=WIDE[1])
    await tab.open(f"{keeper.url}/")
    sizes = [await take(tab, "whole", keep=keep)]
    event_id = await meet_trouble(connection, path)
    keeper.clock.now += 5
    for name, place, scheme, (width, height) in (
        ("broken-dark", "/", "dark", WIDE),
        ("phone", "/", "light", PHONE),
        ("dead-letters", "/dead-letters", "light", WIDE),
        ("story-dark", f"/events/{event_id}", "dark", WIDE),
    ):
        if name.startswith("story"):
            await mend(connection, path)
        await tab.look_like(width=width, height=height, scheme=scheme)
        await tab.open(keeper.url + place)
        sizes.append(await take(tab, name, keep=keep))

    assert max(sizes) < LARGEST_BYTES
    assert min(sizes) > 5000


def test_every_picture_is_shown_and_every_shown_picture_is_there() -> None:
    """docs/page.md and the README name the files of docs/page."""
    texts = "".join((PICTURES.parents[1] / name).read_text() for name in ("README.md", "docs/page.md"))

    assert {picture.name for picture in PICTURES.glob("*.png") if f"page/{picture.name}" not in texts} == set()
    assert len(list(PICTURES.glob("*.png"))) == 5
