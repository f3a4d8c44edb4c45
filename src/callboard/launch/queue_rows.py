"""The merge queue as people and scripts see it: `callboard queue --json` is a Queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from callboard.agents.manager import merging
from callboard.bus.board import Board, GateDoc, IntentDoc, TaskDoc, TaskState
from callboard.bus.merges import Branch, Left, QueueDoc, QueueRun

Doing = Literal["idle", "stacking", "gate", "landing", "paused"]


@dataclass(frozen=True, slots=True)
class BranchRow:
    """One branch on its way in, in the order in which they land."""

    task: str
    key: str
    title: str
    agent: str
    priority: int
    place: Literal["gate", "stack", "behind", "next"]
    """gate: in the part of the stack that is at the gate; behind: in this drain, in a later stack; next: in the next drain."""
    why: str
    """Why it is behind."""
    since: datetime | None
    age_s: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One verdict on a stack."""

    drain: int
    tasks: tuple[str, ...]
    verdict: str
    flaky: bool
    tree: str
    gate_hash: str
    said: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class LeftRow:
    """How a branch left the queue."""

    drain: int
    task: str
    how: str
    why: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What the board knows of a tree: no gate runs on it again."""

    tree: str
    gate_hash: str
    verdict: str
    flaky: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Queue:
    run: str
    doing: Doing
    drain: int
    began_at: datetime | None
    head: str
    branches: tuple[BranchRow, ...]
    runs: tuple[RunRow, ...]
    left: tuple[LeftRow, ...]
    verdicts: tuple[VerdictRow, ...]


def queue_of(board: Board, now: datetime, ageing: timedelta) -> Queue:
    """The queue of a board.

    Args:
        ageing: After how long of waiting a branch counts as one priority step more urgent.
    """
    doc = board.queue
    tested = next((n for n, branch in enumerate(doc.stacked, 1) if branch.merge == doc.asked), 0)
    known = {branch.task for branch in doc.branches}
    approved = [task for task in board.tasks() if task.state is TaskState.APPROVED and task.id not in known]
    rows = [_in_drain(board, doc, n, branch, tested, now) for n, branch in enumerate(doc.branches)]
    rows += [_row(task, "next", "", now) for task in sorted(approved, key=lambda task: merging.rank(task, now, ageing))]
    return Queue(
        run=board.run.id,
        doing=_doing(board, doc),
        drain=doc.drain,
        began_at=doc.began_at,
        head=board.run.head,
        branches=tuple(rows),
        runs=tuple(map(_run, doc.runs)),
        left=tuple(map(_left, doc.left)),
        verdicts=tuple(map(_verdict, board.all(GateDoc))),
    )


def _doing(board: Board, doc: QueueDoc) -> Doing:
    if any(intent.state == "open" for intent in board.all(IntentDoc)):
        return "landing"
    if not doc.branches:
        return "idle"
    if board.run.state == "paused":
        return "paused"
    return "gate" if doc.depth else "stacking"


def _in_drain(board: Board, doc: QueueDoc, place: int, branch: Branch, tested: int, now: datetime) -> BranchRow:
    task = board.task(branch.task)
    if place < tested:
        return _row(task, "gate", "", now)
    is_stacked = place < doc.depth
    return _row(task, "stack" if is_stacked else "behind", "" if is_stacked else branch.waits, now)


def _row(task: TaskDoc, place: Literal["gate", "stack", "behind", "next"], why: str, now: datetime) -> BranchRow:
    since = merging.waiting_since(task)
    return BranchRow(
        task=task.id,
        key=task.task.key,
        title=task.task.title,
        agent=task.agent,
        priority=task.task.priority,
        place=place,
        why=why,
        since=since,
        age_s=int((now - since).total_seconds()) if since else 0,
        files=task.files,
    )


def _run(run: QueueRun) -> RunRow:
    return RunRow(run.drain, run.tasks, run.verdict, run.flaky, run.tree, run.gate_hash, run.said, run.at)


def _left(left: Left) -> LeftRow:
    return LeftRow(left.drain, left.task, left.how, left.why, left.at)


def _verdict(doc: GateDoc) -> VerdictRow:
    return VerdictRow(doc.tree, doc.gate_hash, doc.verdict, doc.flaky, doc.at)
