"""What the manager's desk and its hands, `gate` and `land`, say to each other."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from callboard.bus.body import Body
from callboard.bus.task import CommandResult, Fact, Permit, TaskSpec

GateProfile = Literal["normal", "strict"]
"""strict: with the commands of `[project] gate_strict` besides; for tasks of a high-risk category."""


class GateRequested(Body):
    """desk -> gate: take in what was handed in (`purpose` evidence), then run checks and gate on its tree."""

    kind: ClassVar[str] = "gate.requested"
    purpose: Literal["evidence", "merge"]
    spec: TaskSpec
    """merge: of the last task of the stack, with the checks of all."""
    agent: str
    base: str
    commit: str | None
    """evidence: the head in the agent's vault; merge: a candidate commit in the repository; None: nothing changed,
    the checks run on `base`."""
    permits: tuple[Permit, ...] = ()
    """What a person lets through intake."""
    tools: tuple[str, ...] = ()
    """evidence: what must have been called with success in this attempt."""
    profile: GateProfile | None = None
    """None = as the task's category has it."""


class GateFinished(Body):
    """gate -> desk. `refused`, `approval` and `infrastructure` are neither red nor green."""

    kind: ClassVar[str] = "gate.finished"
    purpose: Literal["evidence", "merge"]
    verdict: Literal["green", "red", "refused", "approval", "infrastructure"]
    commit: str | None = None
    tree: str = ""
    gate_hash: str = ""
    commands: tuple[CommandResult, ...] = ()
    files: tuple[str, ...] = ()
    """Paths the task changed, against its base."""
    flaky: bool = False
    """It passed, after it had failed on the same tree."""
    lint: tuple[CommandResult, ...] = ()
    """Of a green one: commands of `[project] lint`, which stop nothing."""
    rule: str = ""
    path: str = ""
    reason: str = ""
    """refused: the way out; infrastructure: what broke."""
    permits: tuple[Permit, ...] = ()
    """approval: what a person would have to permit."""


class PinRequested(Body):
    """desk -> gate: keep unfinished work from an agent's vault in the repository, under `refs/callboard/<run>/wip/`."""

    kind: ClassVar[str] = "pin.requested"
    agent: str
    base: str
    """What the task was given; intake's rules hold for what differs from it."""
    commit: str


class MergeBranch(Fact):
    """What is to be merged for one task."""

    task: str
    agent: str
    commit: str
    base: str
    """What the task was given: its own change is the difference between the two."""
    reviewed_base: str
    """The integration head that the review saw; landings since then that touched the same files void the review."""
    files: tuple[str, ...]
    message: str
    """The merge commit's whole message, trailers included."""
    at: AwareDatetime
    """The merge commit's dates, so that a repeat writes the same object."""


class MergeRequested(Body):
    """desk -> land: stack the merges of these branches on the integration branch as objects; move nothing."""

    kind: ClassVar[str] = "merge.requested"
    stack: int = 0
    branches: tuple[MergeBranch, ...] = ()
    at: AwareDatetime | None = None
    """The landing commit's dates, so that a repeat writes the same object."""


class Merged(Fact):
    """What became of one branch."""

    task: str
    outcome: Literal["stacked", "contained", "conflict", "review", "waits"]
    """review: a landing since its review touched the same files; waits: it touches what one before it in the stack does."""
    merge: str = ""
    """stacked: its commit on the side chain; review: its merge into the integration head alone."""
    tree: str = ""
    paths: tuple[str, ...] = ()
    """conflict, review, waits: where."""
    hunks: str = ""
    """conflict: both sides of it, as far as they are text."""
    other: str = ""
    """waits: the task before it."""


class MergePrepared(Body):
    """land -> desk."""

    kind: ClassVar[str] = "merge.prepared"
    outcome: Literal["stacked", "moved"] = "moved"
    """moved: the integration branch is not where a landing left it; `reason` names it."""
    stack: int = 0
    old: str = ""
    landing: str = ""
    """The commit that would land all that is stacked."""
    branches: tuple[Merged, ...] = ()
    reason: str = ""


class LandRequested(Body):
    """desk -> land: finish this intent. It is on the board before this is sent, and is only ever finished."""

    kind: ClassVar[str] = "land.requested"
    intent: str
    """The board's id of the intent."""
    ref: str
    old: str
    new: str
    tree: str
    tags: dict[str, str] = {}
    """Tag -> the commit that it will name."""


class LandFinished(Body):
    """land -> desk."""

    kind: ClassVar[str] = "land.finished"
    intent: str
    outcome: Literal["landed", "moved", "blocked"]
    """moved: the ref is neither at `old` nor contains `new`; blocked: it cannot be moved now, such as while it is
    checked out."""
    reason: str = ""


class PromotionRequested(Body):
    """desk -> land: bring what has landed to the target branch, in the way of callboard.toml."""

    kind: ClassVar[str] = "promotion.requested"
    command: str
    """The id of the person's command; "" = the manager does it by itself."""


class PromotionFinished(Body):
    """land -> desk."""

    kind: ClassVar[str] = "promotion.finished"
    command: str
    ok: bool
    target: str
    old: str = ""
    new: str = ""
    pull_request: str = ""
    """Its URL: the target moves once people have merged it."""
    is_merged: bool = False
    reason: str = ""
