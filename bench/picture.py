"""Pictures: small SVG charts by hand, legible on a light and on a dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 760
_LEFT = 250
_RIGHT = 130
_PLOT = WIDTH - _LEFT - _RIGHT
_BAR = 20
_STEP = 30
_TOP = 64

_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.note, .axis { font-size: 12px; fill: #59636e }
.ours { fill: #0f766e } .reference { fill: #94a3b8 } .other { fill: #cbd5e1 }
.round { stroke: #1f2328; stroke-opacity: .45; stroke-width: 1.5 }
.grid { stroke: #59636e; stroke-opacity: .25 }
.line { fill: none; stroke: #0f766e; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note, .axis { fill: #9198a1 }
  .ours { fill: #2dd4bf } .reference { fill: #64748b } .other { fill: #475569 }
  .round { stroke: #e6edf3 } .grid { stroke: #9198a1 } .line { stroke: #2dd4bf }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its value, and the values of the rounds behind it as ticks. ``kind``: ours, reference or other."""

    label: str
    value: float
    kind: str = "other"
    rounds: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Bars under one heading."""

    heading: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars that share one scale, in ``unit``."""

    title: str
    note: str
    unit: str
    groups: Sequence[Group]

    def svg(self) -> str:
        """Return the picture."""
        longest = max(max((bar.value, *bar.rounds)) for group in self.groups for bar in group.bars) or 1.0
        parts: list[str] = []
        y = _TOP
        for group in self.groups:
            if group.heading:
                parts.append(_text(0, y + 14, group.heading))
                y += 24
            for bar in group.bars:
                parts += _bar(bar, y, _PLOT / longest, self.unit)
                y += _STEP
            y += 8
        return _document(self.title, self.note, y + 4, parts)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve over ``points`` (x, y), from zero."""

    title: str
    note: str
    x_unit: str
    y_unit: str
    points: Sequence[tuple[float, float]]

    def svg(self) -> str:
        """Return the picture."""
        height, left, right = 240, 60, WIDTH - 20
        most_x = max(x for x, _ in self.points) or 1.0
        most_y = max(y for _, y in self.points) * 1.15 or 1.0
        bottom = _TOP + height
        parts: list[str] = []
        for share in (0.0, 0.5, 1.0):
            y = bottom - height * share
            parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(_text(left - 8, y + 4, _short(most_y * share), "axis", "end"))
            parts.append(_text(left + (right - left) * share, bottom + 20, _short(most_x * share), "axis", "middle"))
        places = (f"{left + (right - left) * x / most_x:.1f},{bottom - height * y / most_y:.1f}" for x, y in self.points)
        parts.append(f'<polyline class="line" points="{" ".join(places)}"/>')
        parts.append(_text(left, bottom + 40, f"{self.y_unit} over {self.x_unit}", "axis"))
        return _document(self.title, self.note, bottom + 52, parts)


Picture = Bars | Line


def _bar(bar: Bar, y: int, scale: float, unit: str) -> list[str]:
    length = max(bar.value * scale, 1.0)
    end = _LEFT + max(length, *(value * scale for value in bar.rounds)) if bar.rounds else _LEFT + length
    ticks = (
        f'<line class="round" x1="{_LEFT + value * scale:.1f}" x2="{_LEFT + value * scale:.1f}" '
        f'y1="{y + 5}" y2="{y + _BAR - 5}"/>'
        for value in bar.rounds
    )
    return [
        _text(_LEFT - 10, y + 15, bar.label, anchor="end"),
        f'<rect class="{bar.kind}" x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>',
        *ticks,
        _text(end + 8, y + 15, f"{_short(bar.value)} {unit}"),
    ]


def _document(title: str, note: str, height: float, parts: Sequence[str]) -> str:
    body = "\n".join((_text(0, 18, title, "title"), _text(0, 40, note, "note"), *parts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="-12 -8 {WIDTH + 24} {height + 16:.0f}">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(note)}</desc>\n<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:.3g} M"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
