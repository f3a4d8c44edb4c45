"""The merge queue's decisions: (queue, verdicts) -> what is to be done next. Pure, and the same again on the same state.

A **drain** takes every branch that is approved when it begins; who comes later waits for the next one, so nobody waits
longer than for two. All its branches are stacked and the whole stack is tested. If it is red, a binary search finds a green
prefix whose successor is red: the prefix lands, that one branch is evicted, the rest is stacked again on the new head.
With k of n branches bad on their own that takes at most 1 + k(ceil(log2 n) + 1) runs of the gate: the first, and for
each bad one its search and the test of what is left. Only a stack whose own tree has a green verdict lands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callboard.bus.merges import KEPT, Branch, Left, QueueDoc, QueueRun

Verdict = Literal["green", "red", "none"]
VerdictOf = Callable[[str, str], Verdict]
"""Tree and gate hash -> what is known about them."""


@dataclass(frozen=True, slots=True)
class Wait:
    """For an answer, or for branches."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Merge the first so many branches one on top of the other."""

    count: int


@dataclass(frozen=True, slots=True)
class RunGate:
    """Run the gate on the first so many of the stack."""

    depth: int


@dataclass(frozen=True, slots=True)
class Land:
    """The whole stack is green."""


@dataclass(frozen=True, slots=True)
class Evict:
    """The first so many are green, or none; the next one makes them red."""

    green: int


Action = Wait | Stack | RunGate | Land | Evict


def next_action(queue: QueueDoc, verdict_of: VerdictOf) -> Action:
    """What the queue needs now."""
    if queue.asked or not queue.branches:
        return Wait()
    if not queue.depth:
        return Stack(min(queue.most or len(queue.branches), len(queue.branches)))
    return _search(lambda depth: _verdict(queue, depth, verdict_of), queue.depth)


def _search(verdict_at: Callable[[int], Verdict], depth: int) -> RunGate | Land | Evict:
    """Where the search stands follows from the verdicts alone, so it is begun anew each time. None is asked for twice."""
    whole = verdict_at(depth)
    if whole != "red":
        return Land() if whole == "green" else RunGate(depth)
    green, red = 0, depth
    while red - green > 1:
        middle = (green + red) // 2
        match verdict_at(middle):
            case "none":
                return RunGate(middle)
            case "green":
                green = middle
            case "red":
                red = middle
    return Evict(green)


def _verdict(queue: QueueDoc, depth: int, verdict_of: VerdictOf) -> Verdict:
    top = queue.branches[depth - 1]
    return verdict_of(top.tree, top.gate_hash)


# --- what happens to the queue ---------------------------------------------------------------------


def begun(queue: QueueDoc, branches: Sequence[Branch], now: datetime) -> QueueDoc:
    """A drain of these, in this order."""
    fresh = {"depth": 0, "most": 0, "asked": "", "landing": ""}
    return queue.model_copy(
        update={**fresh, "drain": queue.drain + 1, "branches": tuple(branches), "began_at": now},
    )


def stacking(queue: QueueDoc) -> QueueDoc:
    return queue.model_copy(update={"asked": "stack", "stack": queue.stack + 1})


def stacked(
    queue: QueueDoc,
    on_stack: Mapping[str, Branch],
    waiting: Mapping[str, str],
    left: Sequence[Left],
    *,
    old: str,
    landing: str,
) -> QueueDoc:
    """The stack is written.

    Args:
        on_stack: Task -> its branch with its merge; in any order.
        waiting: Task -> why it stays behind until the stack has landed or gone.
        left: Those that cannot be in it, nor in a later one of this drain.
    """
    gone = {one.task for one in left}
    first = [on_stack[branch.task] for branch in queue.branches if branch.task in on_stack]
    behind = [
        branch.model_copy(update={"merge": "", "tree": "", "gate_hash": "", "waits": waiting.get(branch.task, "")})
        for branch in queue.branches
        if branch.task not in on_stack and branch.task not in gone
    ]
    return queue.model_copy(
        update={
            "branches": (*first, *behind),
            "depth": len(first),
            "most": queue.most if first else 0,
            "asked": "",
            "landing": landing,
            "old": old,
            "left": (*queue.left, *left)[-KEPT:],
        }
    )


def testing(queue: QueueDoc, commit: str) -> QueueDoc:
    return queue.model_copy(update={"asked": commit})


def answered(queue: QueueDoc, run: QueueRun) -> QueueDoc:
    return recorded(queue, run).model_copy(update={"asked": ""})


def recorded(queue: QueueDoc, run: QueueRun) -> QueueDoc:
    return queue.model_copy(update={"runs": (*queue.runs, run)[-KEPT:]})


def without(queue: QueueDoc, gone: Collection[str], left: Sequence[Left] = ()) -> QueueDoc:
    """Some branches have left the drain. A stack that one of them was in is stacked again."""
    kept = tuple(branch for branch in queue.branches if branch.task not in gone)
    is_whole = not any(branch.task in gone for branch in queue.stacked)
    is_kept = is_whole and queue.asked != "stack"
    rest = {} if is_kept else {"depth": 0, "most": 0, "asked": "", "landing": ""}
    told = (*queue.left, *left)[-KEPT:]
    return queue.model_copy(update={**rest, "branches": kept, "left": told})


def cut(queue: QueueDoc, green: int, left: Left) -> QueueDoc:
    """The branch behind the first `green` is evicted; those land before the rest is stacked again."""
    return without(queue, {queue.branches[green].task}, [left]).model_copy(update={"most": green})
