"""What the desk asks of the hand `land`, and what it says about it: messages of merges, tags, what a branch met."""

from __future__ import annotations

from collections.abc import Sequence

from callboard.agents.manager.decision import Decision
from callboard.agents.manager.second_round import trailers_of
from callboard.agents.manager.verdicts import gate_hash
from callboard.bus.board import Board, IntentDoc, TaskDoc
from callboard.bus.hand_messages import MergeBranch
from callboard.bus.merges import QueueDoc
from callboard.bus.messages import LandRequested, MergeRequested

NAMED = 8
"""How many other tasks a driver is told of at most."""


def ask_stack(decision: Decision, queue: QueueDoc, count: int) -> None:
    """Ask for the merges of the first so many branches."""
    tasks = [decision.board.task(branch.task) for branch in queue.branches[:count]]
    branches = tuple(_branch(decision, task) for task in tasks)
    decision.send("land", MergeRequested(stack=queue.stack, branches=branches, at=queue.began_at))


def _branch(decision: Decision, task: TaskDoc) -> MergeBranch:
    return MergeBranch(
        task=task.id,
        agent=task.agent,
        commit=task.head,
        base=task.base,
        reviewed_base=task.reviewed_base,
        files=task.files,
        message=merge_message(decision, task),
        at=task.merging_at or decision.now,
    )


def merge_message(decision: Decision, task: TaskDoc) -> str:
    """Subject and trailers of a task's merge on the side chain; later runs read Task-Key and Task-Digest from it."""
    trailers = [
        f"Task: {task.id}",
        f"Task-Key: {task.task.key}",
        f"Task-Digest: {task.task.digest}",
        f"Agent: {task.agent}",
        f"Evidence: {task.head}",
        *trailers_of(decision.board, task),
        f"Gate: {gate_hash(decision.policy, task.task)}",
    ]
    return "\n".join([f"{task.task.title}", "", *trailers, ""])


def send_intent(decision: Decision, intent: IntentDoc) -> None:
    merges = intent.merges or (intent.new,) * len(intent.tasks)
    tags = {_tag(decision.board, task): merge for task, merge in zip(intent.tasks, merges, strict=True)}
    body = LandRequested(intent=intent.id, ref=intent.ref, old=intent.old, new=intent.new, tree=intent.tree, tags=tags)
    decision.send("land", body)


def _tag(board: Board, id: str) -> str:
    task = board.task(id)
    again = f".{task.attempt}" if task.landed else ""
    return f"callboard/{board.run.id}/{task.task.tier}/{task.id}{again}"


# --- what a branch met ---------------------------------------------------------------------------


def landed_since(board: Board, base: str) -> list[TaskDoc]:
    """Tasks that landed on top of `base`, the last one first."""
    found: list[TaskDoc] = []
    for intent in reversed([one for one in board.all(IntentDoc) if one.state == "finished"]):
        if intent.new == base:
            break
        found += [board.task(id) for id in reversed(intent.tasks)]
    return found


def named(tasks: Sequence[TaskDoc]) -> str:
    """`T-2 driver-2/two "Two" (a.py, b.py); T-3 ...`"""
    said = [f'{task.id} {task.task.key} "{task.task.title}"{_files(task)}' for task in tasks[:NAMED]]
    more = [f"and {len(tasks) - NAMED} more"] if len(tasks) > NAMED else []
    return "; ".join((*said, *more))


def _files(task: TaskDoc) -> str:
    return f" ({listed(task.files)})" if task.files else ""


def listed(paths: Sequence[str]) -> str:
    """Paths for people, so many as fit."""
    shown = ", ".join(f"`{path}`" for path in paths[:NAMED])
    return f"{shown} and {len(paths) - NAMED} more" if len(paths) > NAMED else shown
