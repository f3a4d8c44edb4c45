"""What pages show, from the board; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callboard.bus.states import NOTICE
from callboard.bus.task import TaskSpec
from callboard.launch.review_rows import FindingRow, ReviewRow
from callboard.launch.summary import Spend, TaskRow

AROUND = 3
"""Lines of code above and below a quote."""
_COLUMNS = (
    ("To do", "queued", ("queued", "assigned")),
    ("Working", "working", ("working", "changes_requested")),
    ("Blocked", "blocked", ("blocked",)),
    ("Judged", "", ("gate", "review")),
    ("Landing", "", ("approved", "merging")),
    ("Ended", "done", ("done", "failed", "cancelled", "skipped")),
)
ENDED = _COLUMNS[-1][2]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the board of tasks."""

    name: str
    plain: str
    """The state that its name says already."""
    tasks: tuple[TaskRow, ...]


def columns(tasks: Iterable[TaskRow]) -> tuple[Column, ...]:
    """Tasks by how far they are: the most urgent first, of those that have ended the last one first."""
    every = list(tasks)
    found = []
    for name, plain, states in _COLUMNS:
        rows = [row for row in every if row.state in states]
        if states == ENDED:
            rows.sort(key=lambda row: row.changed_at.timestamp() if row.changed_at else 0.0, reverse=True)
        else:
            rows.sort(key=lambda row: (row.priority, int(row.id.partition("-")[2])))
        found.append(Column(name, plain, tuple(rows)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of a cap is used."""

    name: str
    used: str
    cap: str
    """"" = there is none."""
    share: float | None
    """Of 100; None = there is no cap, or what is used is unknown."""
    percent: int
    tone: str


def meters(spend: Spend) -> tuple[Meter, ...]:
    """What the run has used of what it may use."""
    usd = f"${spend.known_usd:,.2f}" + (" and unknown" if spend.usd is None and spend.tokens else "")
    rows = (
        ("Tokens", "tokens", float(spend.tokens or 0), f"{spend.tokens or 0:,}", "{:,.0f}"),
        ("Money", "usd", spend.known_usd, usd, "${:,.2f}"),
        ("Minutes", "minutes", float(spend.minutes), f"{spend.minutes:,}", "{:,.0f}"),
        ("Attempts", "attempts", float(spend.attempts), f"{spend.attempts:,}", "{:,.0f}"),
    )
    return tuple(_meter(name, used, said, spend.caps.get(key), form) for name, key, used, said, form in rows)


def _meter(name: str, used: float, said: str, cap: float | None, form: str) -> Meter:
    if not cap:
        return Meter(name, said, "", None, 0, "soft")
    percent = int(used * 100 // cap)
    tone = "bad" if percent >= 100 else "warn" if percent >= NOTICE else "good"
    return Meter(name, said, form.format(cap), min(100.0, used * 100 / cap), percent, tone)


def asked(spec: TaskSpec) -> tuple[tuple[str, str], ...]:
    """What a task's direction says besides What and its checks, in words."""
    rows = (
        ("Use", spec.use),
        ("Evidence", spec.evidence),
        ("Serves", spec.serves),
        ("Depends on", ", ".join(spec.depends_on)),
        ("May touch", ", ".join(spec.paths)),
        ("Waits for", spec.blocked_by),
    )
    return tuple((name, text) for name, text in rows if text)


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with the code that it quotes."""

    row: FindingRow
    lines: tuple[Line, ...]
    """Empty where its place is not there."""


@dataclass(frozen=True, slots=True)
class Review:
    row: ReviewRow
    findings: tuple[Found, ...]


def place_of(finding: FindingRow) -> tuple[str, int]:
    """File and line; 0 = it names none."""
    file, _, line = finding.place.rpartition(":")
    return (file, int(line)) if file and line.isdigit() else (finding.place, 0)


def in_code(finding: FindingRow, code: Sequence[str]) -> tuple[Line, ...]:
    """The lines around a finding's place, its quote marked.

    Args:
        code: The file's lines in the reviewed commit.
    """
    _, line = place_of(finding)
    if not 1 <= line <= len(code):
        return ()
    last = min(len(code), line + max(1, len(finding.quote.splitlines())) - 1)
    shown = range(max(1, line - AROUND), min(len(code), last + AROUND) + 1)
    return tuple(Line(n, code[n - 1][:300], line <= n <= last) for n in shown)


_PARTS = {"": "Review", "synthesis": "Synthesis of review", "vote": "Vote in review"}


def about(attempt: int, review: str) -> str:
    """What a transcript is of, in words: an attempt, a review or a part of one, or a consult about a blocker."""
    if review.startswith("B-"):
        return f"Consult about {review.partition('.')[0]}"
    which, _, part = review.rpartition("-") if review.endswith(("-synthesis", "-vote")) else (review, "", "")
    return f"{_PARTS[part]} {which}" if review else f"Attempt {attempt}"
