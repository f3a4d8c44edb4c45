"""What is on its way into the integration branch: the merge queue, and landings that will happen."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, model_validator

from callboard.bus.doc import Doc
from callboard.bus.task import Fact

KEPT = 60
"""How many runs, and how many branches that left, a queue remembers for people."""


class IntentDoc(Doc):
    """A landing that will happen: only ever finished, never withdrawn."""

    id: str = ""
    tasks: tuple[str, ...] = ()
    """What lands, in order."""
    merges: tuple[str, ...] = ()
    """Each task's merge on the side chain, which its tag will name; empty in intents from before stacks."""
    ref: str = ""
    old: str = ""
    new: str = ""
    tree: str = ""
    verdict: str = ""
    """The board field of the green gate verdict for `tree`."""
    state: Literal["open", "finished"] = "open"
    at: AwareDatetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_one_task(cls, said: object) -> object:
        """Intents from before stacks name one task."""
        if isinstance(said, dict) and "task" in said and "tasks" not in said:
            return {**said, "tasks": (said["task"],)}
        return said


class Branch(Fact):
    """One approved task of a drain."""

    task: str
    attempt: int
    commit: str
    """What was handed in and approved."""
    since: AwareDatetime
    """When it was approved."""
    merge: str = ""
    """Its merge on the side chain of the stack; "" while it is in none."""
    tree: str = ""
    """Of the stack up to and with it."""
    gate_hash: str = ""
    """Of what the gate runs on that tree: the project's gate, and the checks of every task up to and with it."""
    waits: str = ""
    """Why it is not in this stack: for people."""


class QueueRun(Fact):
    """A verdict that the queue asked for."""

    drain: int
    tasks: tuple[str, ...]
    """The stack that was tested, in order."""
    tree: str
    gate_hash: str
    verdict: Literal["green", "red", "infrastructure"]
    known: bool = False
    """No gate ran for it: the board had the verdict."""
    flaky: bool = False
    said: str = ""
    """What failed."""
    tail: str = ""
    """The end of what the failing command printed."""
    at: AwareDatetime | None = None


class Left(Fact):
    """How a branch left the queue."""

    drain: int
    task: str
    how: Literal["landed", "evicted", "conflict", "review", "contained", "withdrawn", "requeued"]
    why: str = ""
    at: AwareDatetime | None = None


class QueueDoc(Doc):
    """The merge queue. A drain takes every branch that is approved when it begins, and ends when each has left."""

    drain: int = 0
    """Number of the drain in hand, or of the last one."""
    stack: int = 0
    """Number of the stack in hand: an answer about another one is late."""
    branches: tuple[Branch, ...] = ()
    """Of the drain, in order; the first `depth` are the stack. Empty = no drain."""
    depth: int = 0
    """0 = none is stacked yet."""
    most: int = 0
    """How many of the first branches the next stack may take; 0 = all."""
    landing: str = ""
    """The commit that would land the whole stack."""
    old: str = ""
    """The integration head that the stack stands on."""
    asked: str = ""
    """What it waits for: `stack`, or the commit that is at the gate; "" = it can go on."""
    began_at: AwareDatetime | None = None
    """The drain; the dates of its landing commits."""
    runs: tuple[QueueRun, ...] = ()
    """The last ones, oldest first."""
    left: tuple[Left, ...] = ()
    """The last ones, oldest first."""

    @property
    def stacked(self) -> tuple[Branch, ...]:
        return self.branches[: self.depth]
