"""How far a task is, and how full a cap: what a board is read by, apart from its documents, which take long to import."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    QUEUED = "queued"
    ASSIGNED = "assigned"
    WORKING = "working"
    BLOCKED = "blocked"
    GATE = "gate"
    REVIEW = "review"
    APPROVED = "approved"
    MERGING = "merging"
    CHANGES_REQUESTED = "changes_requested"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


ENDED = frozenset({TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED, TaskState.SKIPPED})
HELD_BY_AGENT = frozenset({TaskState.ASSIGNED, TaskState.WORKING})

WORKERS = ("driver", "deployment")
"""The roles that take tasks."""

NOTICE = 80
"""Per cent of a cap at which a person is told."""
