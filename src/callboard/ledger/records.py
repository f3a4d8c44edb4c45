"""The ledger's rows: one class per table that is folded from a journal, its fields the columns (tables.py).

Times are milliseconds since 1970 in UTC. Lists and mappings are JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class RunRecord:
    run: str
    project: str
    """Whose run it is: the name of the repository's folder."""
    state: str
    reason: str
    detail: str
    goal: str
    safety: str
    base: str
    head: str
    integration: str
    target: str
    promoted: str
    pull_request: str
    created_at: int | None
    ended_at: int | None
    tasks: int
    """Those that nobody gave up and no later one replaced."""
    minors: int
    """Keys of open issues that were seen in this run and count as minor."""
    majors: int
    minors_cap: int
    minutes: int
    attempts: int
    tokens_cap: int
    micro_usd_cap: int
    minutes_cap: int
    attempts_cap: int
    gate_failures: int
    review_rejections: int
    intake_refusals: int
    facts: str
    """List of sentences: what it came to."""


@dataclass(frozen=True, slots=True)
class TierRecord:
    run: str
    name: str
    index: int
    """From 0."""
    has_ended: bool
    cleanliness: str
    tasks: int
    minors: int
    minors_cap: int
    majors: int
    majors_cap: int | None
    """None = not capped."""
    gate_runs: int
    gate_runs_cap: int
    tokens_cap: int
    micro_usd_cap: int
    minutes: int
    minutes_cap: int
    problems: str
    """List of sentences: why it is not clean."""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    run: str
    id: str
    key: str
    title: str
    state: str
    reason: str
    tier: str
    category: str
    priority: int
    source: str
    agent: str
    attempt: int
    spent: int
    head: str
    landed: str
    review: str
    blocker: str
    question: str
    changed_at: int | None
    fields: str
    """Mapping: every bold field as written."""


@dataclass(frozen=True, slots=True)
class BlockerRecord:
    run: str
    id: str
    task: str
    agent: str
    cause: str
    severity: str
    state: str
    what: str
    tried: str
    needs: str
    answer: str
    question: str
    raised_at: int | None
    resolved_at: int | None


@dataclass(frozen=True, slots=True)
class IssueRecord:
    run: str
    key: str
    title: str
    category: str
    severity: str
    """What it counts as: a minor one that nobody mended for too long is major."""
    given: str
    """The gravest that anybody gave it."""
    state: str
    closed_because: str
    is_of_this_run: bool
    """It was seen in it, not only carried over."""
    count: int
    """How often it was seen, over all runs."""
    age_runs: int
    age_tiers: int
    first_run: str
    last_run: str
    first_at: int | None
    last_at: int | None
    clean_up: str
    sightings: str
    """List: how it was seen in this run."""


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    run: str
    id: str
    task: str
    attempt: int
    commit: str
    stage: str
    outcome: str
    summary: str
    seats: str
    """Mapping: seat -> reviewer."""
    verdicts: str
    """Mapping: reviewer -> its vote in the first round."""
    votes: str
    """Mapping: reviewer -> its vote in the second."""
    dissent: str
    """List of reviewers."""
    open: int
    """Findings that stood at the end."""
    majors: int
    """Of those, major ones."""
    stop: str
    at: int | None


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    run: str
    id: str
    kind: str
    environment: str
    commit: str
    release: str
    blue: str
    state: str
    is_over: bool
    reason: str
    next: str
    by: str
    task: str
    fixes: int
    requested_at: int | None
    ended_at: int | None
    history: str
    """List of edges."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    run: str
    id: str
    agent: str
    task: str
    tier: str
    model: str
    state: str
    """open, settled, or lost: it was open when entries of the journal were lost."""
    held_tokens: int
    held_micro_usd: int | None
    """None = unknown."""
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    micro_usd: int
    unpriced: int
    reserved_at: int | None
    settled_at: int | None


@dataclass(frozen=True, slots=True)
class SpendRecord:
    """What the settled calls of a scope have cost (bus/caps.py)."""

    run: str
    scope: str
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    micro_usd: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What a reviewer, a consulted agent or the deployment agent handed in."""

    run: str
    message: str
    """The id of the message."""
    seq: int
    """The entry that it came with."""
    agent: str
    kind: str
    task: str
    attempt: int
    path: str
    content: str
    refused: str
    """Why it counts for nothing: its sender may not hand in such a one; "" = it may."""
    at: int

    def refused_for(self, reason: str) -> DocumentRecord:
        return replace(self, refused=reason)


@dataclass(frozen=True, slots=True)
class BoardRecord:
    """A document of the board as the journal has it."""

    run: str
    field: str
    doc: str


Record = (
    RunRecord
    | TierRecord
    | TaskRecord
    | BlockerRecord
    | IssueRecord
    | ReviewRecord
    | DeploymentRecord
    | CallRecord
    | SpendRecord
    | DocumentRecord
    | BoardRecord
)
