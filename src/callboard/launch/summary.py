"""The board as people and scripts see it: `callboard status --json` is a Status.

Plain dataclasses, since `status` imports nothing that takes long (glance.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Launcher:
    """The process that runs the roster here."""

    pid: int
    host: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RunRow:
    id: str
    state: str
    reason: str
    """Why it is paused or failed, in a word; "" otherwise."""
    detail: str
    """The same as a sentence."""
    running: bool
    """Whether a roster runs here now; a run can be `running` while its roster is stopped."""
    launcher: Launcher | None
    outlook: Literal["moving", "people", "ended"]
    """Whether agents can move it on, only people can, or it has ended."""
    base: str
    integration: str
    target: str
    head: str
    promoted: str
    goal: str
    safety: str
    """normal or safety_critical."""
    created_at: datetime | None
    task_counts: dict[str, int]
    """State -> how many tasks are in it; states without tasks are absent."""
    dead_letters: int
    """Messages that nobody could handle; a task may wait for one of them for ever."""
    gate_failures: int
    review_rejections: int
    intake_refusals: int
    pull_request: str = ""
    """The URL of the one that offers what has landed; "" = there is none."""
    waits: bool = False
    """It is paused because only people can move what is left: no `callboard resume`, but what they do, lets it go on."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    name: str
    role: str
    state: str
    """absent, idle, working or down."""
    tasks: tuple[str, ...]
    """Ids of what it holds: a driver's task, what a reviewer has yet to judge, what the manager gates or lands."""
    doing: str
    pid: int
    host: str
    since: datetime | None
    progress_at: datetime | None
    parked_until: datetime | None
    """Until then it gets no task, as its provider takes nothing from it."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    id: str
    key: str
    title: str
    state: str
    reason: str
    agent: str
    """Who works on it or last did; before that, whose directions it stands in."""
    priority: int
    attempt: int
    standing: bool
    due_at: datetime | None
    """Standing work between its rounds: when the next one begins."""
    files: tuple[str, ...]
    landed: str
    """The commit that brought it onto the integration branch; "" when none did."""
    source: str
    """`file:line`, or `person`."""
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class QuestionRow:
    id: str
    task: str
    agent: str
    text: str
    options: tuple[str, ...]
    state: str
    answer: str
    asked_at: datetime | None
    default: str = ""
    """What counts when nobody has answered by the deadline; "" = it waits."""
    deadline: datetime | None = None
    overdue: bool = False
    may_answer: tuple[str, ...] = ()
    """Names and roles of people; empty = anybody."""
    answered_by: str = ""
    is_default: bool = False
    """The answer is its default, taken at its deadline."""
    closed_for: str = ""
    """Why it needs no answer any more."""
    scope: str = ""
    """Whose cap it is about; "" = it is about its task."""


@dataclass(frozen=True, slots=True)
class BlockerRow:
    id: str
    task: str
    agent: str
    what: str
    tried: str
    needs: str
    severity: str
    question: str
    """The question whose answer resolves it; "" while others than people are asked."""
    raised_at: datetime | None
    rung: str = ""
    """Who is asked about it now: canon, senior, trio or person."""
    rungs: tuple[str, ...] = ()
    """What came of the rungs before, each as `senior: why`."""


@dataclass(frozen=True, slots=True)
class MergeRow:
    task: str
    title: str
    agent: str
    commit: str
    tree: str
    state: Literal["landed", "landing"]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Spend:
    """What the run has cost; `callboard costs` says more."""

    tokens: int | None = None
    """None where nobody looked, as in the view of a launch."""
    usd: float | None = None
    """None = unknown: nobody looked, or the price of at least one call is."""
    known_usd: float = 0
    """Of the calls whose price is known."""
    attempts: int = 0
    minutes: int = 0
    caps: dict[str, float] = field(default_factory=dict)
    """What the run may use: tokens, usd, minutes, attempts."""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `callboard status` says. Open questions and blockers only; merges oldest first."""

    run: RunRow | None
    """None when this repository has no run yet."""
    agents: tuple[AgentRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    questions: tuple[QuestionRow, ...] = ()
    blockers: tuple[BlockerRow, ...] = ()
    merges: tuple[MergeRow, ...] = ()
    branches: dict[str, dict[str, str]] = field(default_factory=dict)
    """Agent -> its branches -> their commits."""
    spend: Spend = Spend()
    full: tuple[str, ...] = ()
    """What takes nothing more just now, a sentence each: the server, an inbox."""


NO_RUN = Status(run=None)


def at_rest(status: Status) -> Status:
    """The same with every agent absent: what the board says of them is from before its roster ended."""
    agents = tuple(replace(row, state="absent", tasks=(), doing="", pid=0) for row in status.agents)
    return replace(status, agents=agents)
