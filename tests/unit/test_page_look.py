"""How the page looks: values, drawings, colours."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worker.core.status import Minute
from worker.web.page import chart, shown
from worker.web.page.assets import assets
from worker.web.page.rendering import environment

STYLE = assets()["page.css"].content.decode()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEXT = {"--ink", "--soft", "--accent", "--alarm"}
SIGNS = {"--edge", "--accent", "--alarm"}


def colours(scheme: str) -> dict[str, str]:
    """Return the colours that the stylesheet names for light or dark."""
    light, _, rest = STYLE.partition("@media (prefers-color-scheme: dark)")
    named = dict(re.findall(r"(--\w+): (#[0-9a-f]{6});", light))
    return named if scheme == "light" else named | dict(re.findall(r"(--\w+): (#[0-9a-f]{6});", rest))


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG 2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def minute(began: datetime = NOON, healed: int = 0, replayed: int = 0, p50: float | None = None) -> Minute:
    """Return a minute; 99 of 100 took twice as long as half."""
    return Minute(began, healed, replayed, 10_000, p50, None if p50 is None else p50 * 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["--paper", "--wash"])
def test_text_can_be_read_on_every_ground(scheme: str, ground: str) -> None:
    """Each colour of text has a contrast of 4.5 to 1 at least, and a button's text on its colour has it too."""
    named = colours(scheme)

    assert {
        name: round(contrast(named[name], named[ground]), 1) for name in TEXT if contrast(named[name], named[ground]) < 4.5
    } == {}
    assert {name for name in SIGNS if contrast(named[name], named["--paper"]) < 3} == set()


def test_every_colour_has_a_name_that_the_test_of_contrast_knows() -> None:
    """No rule brings a colour of its own."""
    rules = re.sub(r":root \{[^}]*\}", "", STYLE)

    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(|oklch\(", rules) == []
    assert set(colours("light")) == TEXT | SIGNS | {"--paper", "--wash", "--line", "--faint"}


def test_static_files_lead_nowhere_else() -> None:
    """Style and script name no other address, and a namespace is not one that is fetched."""
    for asset in assets().values():
        text = asset.content.decode().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert re.findall(r"https?:|//[a-z]|@import|url\(", re.sub(r"(?m)^\s*//.*$", "", text)) == []


def test_address_of_a_static_file_changes_with_its_content() -> None:
    """It may be kept for ever."""
    assert all(re.fullmatch(r"/static/\w+\.[0-9a-f]{16}\.(css|js|svg)", asset.path) for asset in assets().values())


def test_templates_hold_no_script_and_no_style_of_their_own() -> None:
    """The policy would forbid them; and nothing is marked as safe."""
    folder = Path(chart.__file__).parent / "templates"
    texts = {path.name: path.read_text() for path in folder.iterdir()}

    assert set(texts) == set(environment().list_templates())
    for name, text in texts.items():
        assert not re.search(r"<script(?! src)|<style| style=| on\w+=|\| *safe|autoescape|https?://", text), name


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "\N{EN DASH}"),
        (0.0042, "4 ms"),
        (-3, "0 ms"),
        (1.25, "1.2 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (90_000, "1 d 1 h"),
        (7200, "2 h"),
        (3605, "1 h"),
        (3599.7, "1 h"),
    ],
)
def test_age_is_told_in_two_units(seconds: float | None, told: str) -> None:
    """As precisely as anybody wants to know."""
    assert shown.age(seconds) == told


def test_share_is_whole_only_if_all_are() -> None:
    """One user of a million without profile is not 100 %."""
    assert shown.share(1.0) == "100 %"
    assert shown.share(999_999 / 1_000_000) == "99.99 %"


INFINITE = [it.replace(tzinfo=zone) for it in (datetime.max, datetime.min) for zone in (None, UTC)]  # noqa: DTZ901 - as asyncpg says it


@pytest.mark.parametrize("moment", INFINITE)
def test_infinity_is_shown_without_an_error(moment: datetime) -> None:
    """Postgres knows times that no calendar has."""
    assert shown.moment(moment) == "beyond all time"
    assert shown.machine(moment) == ""
    assert shown.between((moment, NOON)) == ""


def test_signs_that_nobody_sees_are_shown() -> None:
    """What turns the reading direction, hides, or ends a line of a terminal cannot hide what stands there."""
    assert shown.text("a\u202eb\u200bc\x1b\x01") == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+001B⟩⟨U+0001⟩"


def test_long_text_is_cut_and_says_so() -> None:
    """A megabyte is told by its size."""
    assert shown.text("x" * 1_048_576, 3) == "xxx … (1,048,576 characters)"


def test_bars_stand_on_each_other_and_stay_inside() -> None:
    """The heights are the share of the scale, and the highest reaches no further than its top."""
    drawn = chart.throughput([minute(healed=30, replayed=10), *[minute()] * 59])

    assert drawn.top.value == 40
    assert [(bar.kind, bar.height, bar.y) for bar in drawn.bars] == [
        ("healed", "72.00%", "28.00%"),
        ("replayed", "24.00%", "4.00%"),
    ]


def test_line_of_times_is_broken_where_nothing_was_healed() -> None:
    """No line leads over a minute of which nothing is known."""
    times = chart.times([minute(p50=10.0), minute(p50=20.0), minute(), minute(p50=5.0)])

    assert [point.kind for point in times.points] == ["most"] * 3 + ["half"] * 3
    assert len(times.segments) == 2
    assert [rule.value for rule in times.rules] == [1, 10, 100]


def test_hour_of_nothing_is_drawn_as_nothing() -> None:
    """An empty hour has a scale and no shapes."""
    hour = [minute(NOON + timedelta(minutes=number)) for number in range(60)]

    assert chart.throughput(hour).bars == ()
    assert chart.times(hour).points == ()
