"""A world for the merge queue's decisions alone: branches are names, a tree is the set of those in it, the gate is a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from callboard.agents.manager import merge_queue
from callboard.agents.manager.merge_queue import Evict, Land, RunGate, Stack, Verdict, Wait
from callboard.bus.merges import Branch, Left, QueueDoc, QueueRun

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TRIES = 3
"""As the gate's RED_RUNS["merge"]."""


def branch(name: str) -> Branch:
    return Branch(task=name, attempt=1, commit=name, since=NOON)


@dataclass
class QueueWorld:
    """A queue, a line and a gate.

    Args:
        is_red: Whether a set of branches does not work.
        random: For flakes.
        flake: How often a command fails although it should not.
    """

    is_red: Callable[[frozenset[str]], bool]
    random: Random = field(default_factory=lambda: Random(0))
    flake: float = 0.0
    tries: int = TRIES
    queue: QueueDoc = field(default_factory=QueueDoc)
    line: list[frozenset[str]] = field(default_factory=lambda: [frozenset()])
    """What is in each commit of the integration line."""
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    runs: int = 0
    """Verdicts that a gate had to give."""
    evicted: list[str] = field(default_factory=list)
    falsely: list[str] = field(default_factory=list)
    """Evicted although they were not to blame: what they were tested on with them works."""

    def begin(self, names: Sequence[str]) -> None:
        self.queue = merge_queue.begun(self.queue, [branch(name) for name in names], NOON)

    def verdict(self, tree: str, hash: str) -> Verdict:
        return self.verdicts.get((tree, hash), "none")

    def step(self) -> bool:
        """Do what the queue needs; False when it waits for branches."""
        match merge_queue.next_action(self.queue, self.verdict):
            case Wait():
                return False
            case Stack(count=count):
                self._stack(count)
            case RunGate(depth=depth):
                self._test(depth)
            case Land():
                self._land()
            case Evict(green=green):
                self._evict(green)
        return True

    def drain(self) -> None:
        while self.step():
            pass

    def _stack(self, count: int) -> None:
        self.queue = merge_queue.stacking(self.queue)
        assert not self.queue.depth
        inside = self.line[-1]
        on_stack: dict[str, Branch] = {}
        for one in self.queue.branches[:count]:
            inside |= {one.task}
            tree = " ".join(sorted(inside))
            on_stack[one.task] = one.model_copy(update={"merge": f"m {tree}", "tree": tree, "gate_hash": "h"})
        self.queue = merge_queue.stacked(self.queue, on_stack, {}, [], old="", landing="l")

    def _test(self, depth: int) -> None:
        top = self.queue.branches[depth - 1]
        self.queue = merge_queue.testing(self.queue, top.merge)
        key = top.tree, top.gate_hash
        assert key not in self.verdicts, "a tree with a verdict is run again"
        self.runs += 1
        red = self.is_red(frozenset(top.tree.split()))
        failed = all(red or self.random.random() < self.flake for _ in range(self.tries))
        verdict: Verdict = "red" if failed else "green"
        self.verdicts[key] = verdict
        tasks = tuple(one.task for one in self.queue.branches[:depth])
        run = QueueRun(drain=self.queue.drain, tasks=tasks, tree=top.tree, gate_hash="h", verdict=verdict)
        self.queue = merge_queue.answered(self.queue, run)

    def _land(self) -> None:
        top = self.queue.stacked[-1]
        assert self.verdict(top.tree, top.gate_hash) == "green", "a tree lands without a green verdict"
        self.line.append(frozenset(top.tree.split()))
        landed = {one.task for one in self.queue.stacked}
        self.queue = merge_queue.without(self.queue, landed)

    def _evict(self, green: int) -> None:
        out = self.queue.branches[green]
        if not self.is_red(frozenset(out.tree.split())):
            self.falsely.append(out.task)
        self.evicted.append(out.task)
        self.queue = merge_queue.cut(
            self.queue, green, Left(drain=self.queue.drain, task=out.task, how="evicted", at=NOON)
        )
