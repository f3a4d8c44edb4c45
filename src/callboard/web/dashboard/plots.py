"""Geometry of plots that the server draws: where lanes, bars, steps and ticks lie in a picture; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callboard.web.dashboard.timeline import Bar

WIDE = 1_000.0
LEFT = 150.0
"""Where time begins: names of lanes stand left of it."""
ROW = 22.0
GAP = 8.0
MOST_ROWS = 4
"""Of one lane: what goes on at the same time there. More lie over each other."""
LEAST = 3.0
"""The width of what took no time."""
LETTER = 7.2
"""The width of a letter, about."""
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)
_TICKS = 8


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Time from left to right."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        whole = (self.end - self.start).total_seconds()
        share = (at - self.start).total_seconds() / whole if whole > 0 else 0.0
        return round(LEFT + (WIDE - LEFT) * min(1.0, max(0.0, share)), 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """At round times, some eight of them."""
        whole = (self.end - self.start).total_seconds()
        step = next((s for s in _STEPS_S if whole / s <= _TICKS), max(86_400, int(whole / _TICKS)))
        form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86_400 else "%m-%d"
        first = self.start.timestamp() // step * step + step
        times = [datetime.fromtimestamp(first + n * step, self.start.tzinfo) for n in range(_TICKS + 1)]
        return tuple(Tick(self.x(at), at.strftime(form)) for at in times if self.x(at) < WIDE - 4 * LETTER)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One bar of the timeline."""

    bar: Bar
    x: float
    y: float
    width: float
    label: str
    """"" where there is no room."""


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A timeline, ready to be drawn."""

    height: float
    lanes: tuple[Lane, ...]
    bars: tuple[Drawn, ...]
    ticks: tuple[Tick, ...]


def chart(bars: Sequence[Bar], names: Sequence[str], now: datetime) -> Chart:
    """Lay out bars in lanes.

    Args:
        names: The lanes, from above.
        now: What is under way reaches to here.
    """
    if not bars:
        return Chart(0.0, (), (), ())
    start = min(bar.began for bar in bars)
    end = max(*(bar.ended or now for bar in bars), start + timedelta(seconds=1))
    axis, y = Axis(start, end), 0.0
    lanes, drawn = list[Lane](), list[Drawn]()
    for name in names:
        rows = _rows(axis, [bar for bar in bars if bar.lane == name], now)
        for n, row in enumerate(rows):
            drawn += [_drawn(axis, bar, y + n * ROW, now) for bar in row]
        height = max(1, len(rows)) * ROW
        lanes.append(Lane(name, y, height))
        y += height + GAP
    return Chart(y, tuple(lanes), tuple(drawn), axis.ticks)


def _rows(axis: Axis, bars: Sequence[Bar], now: datetime) -> list[list[Bar]]:
    """What goes on at the same time, below each other."""
    rows, free = list[list[Bar]](), list[float]()
    for bar in bars:
        x = axis.x(bar.began)
        n = next((n for n, until in enumerate(free) if until <= x), len(rows))
        if n == len(rows) and n < MOST_ROWS:
            rows.append([])
            free.append(0.0)
        n = min(n, len(rows) - 1)
        rows[n].append(bar)
        free[n] = max(free[n], x + _width(axis, bar, now))
    return rows


def _width(axis: Axis, bar: Bar, now: datetime) -> float:
    return max(LEAST, round(axis.x(bar.ended or now) - axis.x(bar.began), 1))


def _drawn(axis: Axis, bar: Bar, y: float, now: datetime) -> Drawn:
    width = _width(axis, bar, now)
    text = bar.task or bar.deployment
    return Drawn(bar, axis.x(bar.began), y, width, text if len(text) * LETTER + 4 < width else "")


@dataclass(frozen=True, slots=True)
class Share:
    """What Green got of the traffic from a moment on."""

    at: datetime
    percent: int


SPLIT_HEIGHT = 120.0


def split(shares: Sequence[Share], end: datetime) -> tuple[str, tuple[Tick, ...]]:
    """The outline of Green's share over time, as an SVG path, and the ticks below it; "" = nothing to draw."""
    if not shares or end <= shares[0].at:
        return "", ()
    axis = Axis(shares[0].at, end)
    points, level = [f"M{axis.x(shares[0].at)} {SPLIT_HEIGHT}"], SPLIT_HEIGHT
    for share in shares:
        x = axis.x(share.at)
        points.append(f"L{x} {level}")
        level = round(SPLIT_HEIGHT * (100 - share.percent) / 100, 1)
        points.append(f"L{x} {level}")
    return " ".join([*points, f"L{WIDE} {level}", f"L{WIDE} {SPLIT_HEIGHT}", "Z"]), axis.ticks


def percents(values: Sequence[float]) -> tuple[float, ...]:
    """Each value's part of the largest one, of 100."""
    most = max(values, default=0.0)
    return tuple(round(100 * value / most, 1) if most > 0 else 0.0 for value in values)
