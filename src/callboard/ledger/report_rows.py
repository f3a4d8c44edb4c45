"""What reports say: frozen, typed, and with times as times and money as money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Use:
    """One cap of a run or a tier, and how much of it is used."""

    what: Literal["tokens", "usd", "minutes", "attempts", "gate_runs", "minor_issues", "major_issues"]
    used: Decimal
    cap: Decimal

    @property
    def is_over(self) -> bool:
        """Budgets are used up at their cap; so many issues and gate runs there may be."""
        return self.used > self.cap if self.what in ("minor_issues", "major_issues") else 0 < self.cap <= self.used

    @property
    def share(self) -> float:
        """Of the cap, 1.0 = all; 0.0 where the cap is 0."""
        return float(self.used / self.cap) if self.cap else 0.0


@dataclass(frozen=True, slots=True)
class RunRow:
    run: str
    project: str
    state: str
    reason: str
    detail: str
    goal: str
    safety: str
    created_at: datetime | None
    ended_at: datetime | None
    base: str
    head: str
    target: str
    promoted: str
    tasks: int
    task_states: Mapping[str, int]
    """State -> how many; of all tasks, those too that were given up."""
    minors: int
    """Keys of open issues that were seen in this run and count as minor."""
    majors: int
    calls: int
    unpriced: int
    """Calls whose price nobody knows."""
    uses: tuple[Use, ...]
    """tokens, usd, minutes, attempts, minor_issues."""
    facts: tuple[str, ...]
    """What it came to, once it has ended."""

    def use(self, what: str) -> Use:
        return next(use for use in self.uses if use.what == what)

    @property
    def over(self) -> tuple[Use, ...]:
        """Caps that are reached."""
        return tuple(use for use in self.uses if use.is_over)


@dataclass(frozen=True, slots=True)
class TierRow:
    run: str
    name: str
    index: int
    has_ended: bool
    cleanliness: str
    tasks: int
    task_states: Mapping[str, int]
    minors: int
    majors: int
    uses: tuple[Use, ...]
    """tokens, usd, minutes, gate_runs, minor_issues, and major_issues where those are capped."""
    problems: tuple[str, ...]
    """Why it is not clean, each with its way out."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    run: str
    id: str
    key: str
    title: str
    state: str
    reason: str
    tier: str
    category: str
    priority: int
    agent: str
    attempt: int
    landed: str
    changed_at: datetime | None
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BlockerRow:
    run: str
    id: str
    task: str
    agent: str
    severity: str
    state: str
    what: str
    needs: str
    answer: str
    raised_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue as the newest run that knows its key has it."""

    run: str
    key: str
    title: str
    category: str
    severity: str
    """What it counts as."""
    given: str
    state: str
    count: int
    """How often it was seen, over all runs."""
    age_runs: int
    age_tiers: int
    first_run: str
    last_run: str
    first_at: datetime | None
    last_at: datetime | None
    clean_up: str
    """The task that was made for it; "" = none."""
    tasks: tuple[str, ...]
    """Tasks of that run in which it was seen."""

    @property
    def needs_cleanup(self) -> bool:
        """A minor one that nobody mended for too long."""
        return self.severity != self.given


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open issues of a project, over all its runs."""

    project: str
    minors: int
    majors: int
    by_category: Mapping[str, int]
    top_aging: tuple[IssueRow, ...]
    """The oldest first."""
    needs_cleanup: tuple[IssueRow, ...]


@dataclass(frozen=True, slots=True)
class BudgetReport:
    runs: tuple[RunRow, ...]
    """Looked at, the newest first."""
    over: tuple[RunRow, ...]
    """Of those, where a cap is reached: `RunRow.over` says which."""
    tokens: int
    usd: Decimal
    calls: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class ReviewRow:
    run: str
    id: str
    task: str
    attempt: int
    outcome: str
    summary: str
    open: int
    dissent: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    run: str
    id: str
    kind: str
    environment: str
    commit: str
    release: str
    state: str
    is_over: bool
    reason: str
    requested_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class SpendRow:
    scope: str
    """`run`, `tier:<name>`, `task:<id>`, `agent:<name>` or `model:<name>`."""
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    usd: Decimal
    """Of the calls whose price is known."""
    unpriced: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """All that the ledger has of a run."""

    run: RunRow
    tiers: tuple[TierRow, ...]
    tasks: tuple[TaskRow, ...]
    blockers: tuple[BlockerRow, ...]
    issues: tuple[IssueRow, ...]
    """Seen in this run, closed ones too."""
    reviews: tuple[ReviewRow, ...]
    deployments: tuple[DeploymentRow, ...]
    spend: tuple[SpendRow, ...]
