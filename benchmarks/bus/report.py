"""The figures as tables: on the screen, and in docs/benchmarks.md between its two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.bus.figures import Series, ratios
from benchmarks.bus.growth import Growth
from benchmarks.bus.lifecycle import Lifecycle
from benchmarks.bus.plot import Plot, svg
from benchmarks.bus.throughput import Throughput

BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
PICTURE = "benchmarks.svg"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 1),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines)


def handled(found: Throughput) -> str:
    others = {
        "bare loop (the same commit script)": found.bare,
        "thin loop (ten lines of script)": found.thin,
        **found.peers,
    }
    rows = [("**ours**", found.ours.shown(), "1")]
    rows += [(name, series.shown(), ratios(found.ours, series).shown(digits=2)) for name, series in others.items()]
    return table(("handled messages/s, one process", "median (least - most)", "ours / it"), rows)


def lived(found: Lifecycle) -> str:
    ours = {"**ours**": found.ours, "ours, five processes": found.apart}
    everyone = {**ours, "bare loop": found.bare, **found.peers}
    rows = [
        (name, one["p50"].shown(digits=2), one["p99"].shown(digits=2), *_against(found, one), _trips(one["trips"]))
        for name, one in everyone.items()
    ]
    head = ("one task alone, ms", "p50 (least - most)", "p99", "ours / it, p50", "p99", "round trips")
    return table(head, rows)


def _against(found: Lifecycle, one: dict[str, Series]) -> tuple[str, str]:
    p50, p99 = (ratios(found.ours[name], one[name]).shown(digits=2) for name in ("p50", "p99"))
    return p50, p99


def _trips(series: Series) -> str:
    return f"{series.median:.1f}" if series.median else "none"


def grown(found: Growth) -> str:
    idle = [_idle(f"{size:,}", one) for size, one in found.idle.items()]
    idle += [_idle(f"{size:,} in ten processes", one) for size, one in found.spread.items()]
    backlog = [
        (f"{size:,}", one["send"].shown(digits=3), one["read"].shown(digits=3)) for size, one in found.backlog.items()
    ]
    pending = [
        (f"{size:,}", *(one[name].shown(digits=3) for name in ("send", "read", "commit")))
        for size, one in found.pending.items()
    ]
    idle_head = (
        "idle agents in one process",
        "send until handler begins, p50 ms",
        "p99 ms",
        "server MB",
        "CPU when idle",
    )
    return "\n\n".join(
        (
            table(idle_head, idle),
            table(("backlog", "send p50 ms", "read p50 ms"), backlog),
            table(("held and not acknowledged", "send p50 ms", "read p50 ms", "commit p50 ms"), pending),
        )
    )


def _idle(agents: str, one: dict[str, Series]) -> tuple[str, ...]:
    p50, p99 = (one[name].shown(digits=2) for name in ("p50", "p99"))
    return agents, p50, p99, one["mb"].shown(digits=1), _percent(one)


def _percent(one: dict[str, Series]) -> str:
    return f"{one['idle_cpu_percent'].median:.1f} %"


def picture(found: Growth) -> str:
    def line(sizes: dict[int, dict[str, Series]], name: str) -> dict[int, float]:
        return {size: one[name].median for size, one in sizes.items()}

    idle = {name: line(found.idle | found.spread, name) for name in ("p50", "p99")}
    backlog = {name: line(found.backlog, name) for name in ("send", "read")}
    return svg(
        [
            Plot("From send until the handler begins", "idle agents; up to 1,000 in one process, more over ten", idle),
            Plot("One send, one read, p50", "messages that wait in the inbox", backlog),
        ]
    )


def write(docs: Path, text: str, drawn: str) -> None:
    """Put the tables and the plot into the documentation."""
    page = docs / "benchmarks.md"
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n\n![growth]({PICTURE})\n{END}{after}", "utf-8")
    (docs / PICTURE).write_text(drawn, "utf-8")
