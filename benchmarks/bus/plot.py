"""A plot as SVG: lines over a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 30, 40
COLOURS = ("#2463a8", "#c2571a", "#3a7d44")


@dataclass(frozen=True, slots=True)
class Plot:
    title: str
    across: str
    lines: Mapping[str, Mapping[int, float]]
    """Milliseconds by size, by the line's name."""


def svg(plots: list[Plot]) -> str:
    """All of them, one below the other."""
    height = HEIGHT * len(plots)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for place, plot in enumerate(plots):
        parts += [f'<g transform="translate(0,{place * HEIGHT})">', *_drawn(plot), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawn(plot: Plot) -> list[str]:
    sizes = sorted({size for line in plot.lines.values() for size in line})
    most = max(value for line in plot.lines.values() for value in line.values()) * 1.15
    low, high = _log(sizes[0]), _log(sizes[-1])

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (_log(size) - low) / ((high - low) or 1)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most

    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">{plot.title}</text>']
    for step in range(5):
        value = most * step / 4
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{size:,}</text>')
    parts.append(
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">{plot.across}; milliseconds upwards</text>'
    )
    for place, (name, line) in enumerate(plot.lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(line[size]):.1f}" for size in sorted(line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(size):.1f}" cy="{y(line[size]):.1f}" r="3" fill="{colour}"/>' for size in sorted(line)
        ]
        parts.append(f'<text x="{WIDTH - RIGHT}" y="{18 + 14 * place}" text-anchor="end" fill="{colour}">{name}</text>')
    return parts


def _log(size: int) -> float:
    return math.log10(max(1, size))
