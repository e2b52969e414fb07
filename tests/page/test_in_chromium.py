"""The page in a real browser: how it looks, refreshes itself, and is used with a keyboard, without scripts, and by ear."""

import re

from tests.page.test_hostile import PAYLOADS, poison
from tests.support.browser import Tab
from tests.support.busy_hour import live_an_hour, meet_trouble
from tests.support.database import count
from tests.support.letters import dead_order
from tests.support.paged import TOKEN, Visitor
from worker.pipeline import Path
from worker.store.connection import Connection

SIZES = {"wide": (1280, 800), "phone": (390, 844)}
TAB = 9
HIDE = """
    Object.defineProperty(document, 'hidden', {{value: {}, configurable: true}});
    document.dispatchEvent(new Event('visibilitychange'))
"""


async def test_every_page_fits_and_the_browser_has_nothing_against_it(
    tab: Tab, keeper: Visitor, connection: Connection, path: Path
) -> None:
    """At 1280 and at 390 pixels, light and dark: no error, nothing that the policy forbids, nothing to be scrolled sideways."""
    event_id = await dead_order(connection, path)
    for width, height in SIZES.values():
        for scheme in ("light", "dark"):
            await tab.look_like(width=width, height=height, scheme=scheme)
            for place in ("/", "/audit", "/dead-letters", f"/dead-letters/{event_id}", f"/events/{event_id}", "/sign-in"):
                await tab.open(keeper.url + place)
                assert await tab.evaluate("document.documentElement.scrollWidth - innerWidth") == 0, (place, width)

    assert tab.complaints == []


async def test_hostile_values_neither_run_nor_stretch_the_page(tab: Tab, keeper: Visitor, connection: Connection) -> None:
    """What a browser makes of them is text, on a phone too."""
    await poison(connection, PAYLOADS["attribute"] + PAYLOADS["script"] + "x" * 4000)
    await tab.look_like(width=390, height=844)
    for place in ("/", "/audit", "/dead-letters", "/dead-letters/9", "/events/9"):
        await tab.open(keeper.url + place)
        assert await tab.evaluate("document.querySelectorAll('main script, main img, main [onmouseover]').length") == 0
        assert await tab.evaluate("document.documentElement.scrollWidth - innerWidth") == 0, place

    assert tab.complaints == []


async def test_overview_refreshes_itself_and_keeps_focus_scroll_and_what_is_open(
    tab: Tab, keeper: Visitor, connection: Connection, path: Path
) -> None:
    """What has changed is there after a few seconds, and whoever reads is not disturbed."""
    await live_an_hour(connection, path)
    await tab.look_like(width=1280, height=500)
    await tab.open(f"{keeper.url}/")
    await tab.evaluate("document.querySelector('summary').click(); document.querySelector('summary').focus(); scrollTo(0, 300)")
    await meet_trouble(connection, path)
    keeper.clock.now += 5

    await tab.pass_time(6)

    assert await tab.evaluate("document.querySelector('h1').textContent") == "2 users are not whole."
    assert await tab.evaluate("document.querySelector('[role=status]').textContent") == "2 users are not whole."
    assert await tab.evaluate("[document.activeElement.tagName, document.querySelector('details').open, scrollY]") == [
        "SUMMARY",
        True,
        300,
    ]


async def test_paused_page_stands_still_until_it_is_let_go(tab: Tab, keeper: Visitor, connection: Connection) -> None:
    """The button says so, a reload remembers it, and pressing it again refreshes at once."""
    await tab.open(f"{keeper.url}/")
    await tab.evaluate("document.querySelector('[data-pause]').click()")
    await tab.open(f"{keeper.url}/")
    asked = len(keeper.answers)
    before = await tab.evaluate("document.querySelector('time').textContent")
    keeper.clock.now += 5
    await tab.pass_time(60)
    still = await tab.evaluate("document.querySelector('time').textContent")
    await connection.execute("delete from pgmend.profile_sources")

    await tab.evaluate("document.querySelector('[data-pause]').click()")

    assert (still, asked) == (before, len(keeper.answers))
    assert await tab.evaluate("document.querySelector('[data-pause]').getAttribute('aria-pressed')") == "false"
    await tab.becomes("document.querySelector('h1').textContent", "Nothing is attached yet.")


async def test_hidden_page_asks_nothing(tab: Tab, keeper: Visitor, connection: Connection) -> None:
    """A tab in the background costs the database nothing; looked at again it is up to date."""
    await tab.open(f"{keeper.url}/")
    await tab.evaluate(HIDE.format("true"))
    await connection.execute("delete from pgmend.profile_sources")
    keeper.clock.now += 5
    await tab.pass_time(60)
    hidden = await tab.evaluate("document.querySelector('h1').textContent")

    await tab.evaluate(HIDE.format("false"))

    assert hidden != "Nothing is attached yet."
    await tab.becomes("document.querySelector('h1').textContent", "Nothing is attached yet.")


async def test_page_that_gets_no_answer_keeps_what_it_has_and_says_so(tab: Tab, keeper: Visitor) -> None:
    """The worker is gone: nothing vanishes, and who listens is told."""
    await tab.open(f"{keeper.url}/")
    before = await tab.evaluate("document.querySelector('main').innerText")
    await tab.call("Network.enable")
    await tab.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    await tab.pass_time(6)

    assert await tab.evaluate("document.querySelector('main').innerText") == before
    assert "cannot be refreshed" in await tab.evaluate("document.querySelector('[role=status]').textContent")


async def test_search_works_without_scripts(tab: Tab, visitor: Visitor, connection: Connection) -> None:
    """A form that is sent, and an address that can be kept."""
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message, user_id) "
        "select 'X', 'info', 'of ' || name, name from unnest(array['ada', 'eve']) as name"
    )
    await tab.call("Emulation.setScriptExecutionDisabled", value=True)
    await tab.open(f"{visitor.url}/audit?user=ada")

    text = await tab.text()

    assert "of ada" in text
    assert "of eve" not in text
    assert "Live" not in text


async def test_keyboard_reaches_the_content_first_and_every_focus_is_seen(tab: Tab, visitor: Visitor) -> None:
    """The first Tab is the way past the head, and what has the focus has an outline."""
    await tab.open(f"{visitor.url}/audit")
    await tab.press("Tab", TAB)
    first = await tab.evaluate("document.activeElement.textContent")
    outlines = []
    for _ in range(8):
        outlines.append(await tab.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
        await tab.press("Tab", TAB)

    assert first == "Skip to the content"
    assert set(outlines) == {"solid"}


async def test_list_stays_a_table_by_ear_on_a_phone(tab: Tab, visitor: Visitor, connection: Connection, path: Path) -> None:
    """However it is laid out, its rows and headers are there for who hears it."""
    await dead_order(connection, path)
    await tab.look_like(width=390, height=844)
    await tab.open(f"{visitor.url}/dead-letters")

    nodes = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]

    assert roles.count("table") == 1
    assert roles.count("columnheader") == 5
    assert {"banner", "navigation", "main", "contentinfo", "search"} <= set(roles)


async def test_drawing_tells_by_ear_what_it_shows(tab: Tab, visitor: Visitor, connection: Connection, path: Path) -> None:
    """Each has a name that is a sentence, and the table of it follows."""
    await live_an_hour(connection, path)
    await tab.open(f"{visitor.url}/")

    nodes = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
    names = [node["name"]["value"] for node in nodes if not node["ignored"] and node["role"]["value"] in {"image", "img"}]

    assert [bool(re.search(r"in the last hour|In the latest minute", name)) for name in names] == [True, True]


async def test_nothing_moves_for_who_does_not_want_it(tab: Tab, visitor: Visitor) -> None:
    """No transition is left."""
    durations = []
    for motion in ("no-preference", "reduce"):
        await tab.look_like(width=1280, height=800, motion=motion)
        await tab.open(f"{visitor.url}/")
        durations.append(await tab.evaluate("getComputedStyle(document.querySelector('nav a')).transitionDuration"))

    assert durations[0] != "0s"
    assert durations[1] == "0s"


async def test_person_signs_in_requeues_and_reads_the_story(
    tab: Tab, keeper: Visitor, connection: Connection, path: Path
) -> None:
    """A real browser sends cookie and Origin as the gate expects them."""
    event_id = await dead_order(connection, path)
    await tab.open(f"{keeper.url}/sign-in")
    await tab.evaluate(f"document.querySelector('#name').value = 'Ada'; document.querySelector('#token').value = '{TOKEN}'")
    await tab.follow("document.querySelector('main form').requestSubmit()")
    assert "signed in as Ada" in await tab.text()

    await tab.open(f"{keeper.url}/dead-letters/{event_id}")
    await tab.follow("document.querySelector('.actions a').click()")
    await tab.follow("document.querySelector('main form').requestSubmit()")

    assert await tab.evaluate("location.pathname") == f"/events/{event_id}"
    assert "A person sent the dead letter back".lower() in (await tab.text()).lower()
    assert await tab.evaluate("document.cookie") == ""
    assert await count(connection, "pgmend.dead_letters where event_id = $1", event_id) == 0
