"""Landing: stacks as objects, intents carried out. Every step can be repeated after a crash.

Order of a landing: 1 the merges and the landing commit are written as objects, 2 the desk commits the intent to the board,
3 the ref moves by compare-and-swap, 4 the tags, 5 the desk commits `merge.landed`. After a crash the ref tells what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.stack import StackRepository, person, write_stack
from callboard.bus.board import Board, GateDoc, IntentDoc, RunDoc
from callboard.bus.errors import Reject, WorkspaceError
from callboard.bus.hand_messages import MergeBranch
from callboard.bus.messages import (
    LandFinished,
    LandRequested,
    MergePrepared,
    MergeRequested,
)


class LandRepository(StackRepository, Protocol):
    """What landing needs of the user's repository; see agents/workspace/git.py."""

    def resolve(self, rev: str) -> str | None: ...
    def tree_of(self, commit: str) -> str: ...
    def is_ancestor(self, ancestor: str, descendant: str) -> bool: ...
    def land(self, ref: str, new: str, old: str, tags: Mapping[str, str]) -> bool: ...
    def tag_all(self, tags: Mapping[str, str]) -> None: ...
    def where_checked_out(self, branch: str) -> Path | None: ...


SPELLED_OUT = 5
"""So many tasks are named in a landing's subject."""


def next_step(current: str | None, old: str, contains_new: bool) -> Literal["tag", "move", "moved"]:
    """What an open intent still needs, from where the ref is."""
    if contains_new:
        return "tag"
    return "move" if current == old else "moved"


@dataclass(frozen=True, slots=True)
class Lander:
    """Carries out what the desk asks of the repository."""

    repository: LandRepository

    def prepare(self, run: RunDoc, request: MergeRequested) -> MergePrepared:
        """Write the stack that is asked for, and the commit that would land it. Nothing moves.

        Raises:
            Reject: It says no dates, so it would not be the same objects when it is written again.
        """
        if request.at is None:
            raise Reject(f"stack {request.stack} has no dates")
        head = self.repository.resolve(f"refs/heads/{run.integration}")
        if head != run.head:
            reason = moved_sentence(run.integration, head, run.head)
            return MergePrepared(outcome="moved", stack=request.stack, reason=reason)
        stack = write_stack(self.repository, run.head, request.branches)
        landing = ""
        if stack.on_it:
            parents, message = (run.head, stack.tip), landing_message([own.branch for own in stack.on_it])
            landing = self.repository.commit_tree(stack.tree, parents, message, person(MANAGER), request.at)
        rows = tuple(stack.rows.values())
        return MergePrepared(outcome="stacked", stack=request.stack, old=run.head, landing=landing, branches=rows)

    def land(self, board: Board, request: LandRequested) -> LandFinished:
        """Finish one intent.

        Raises:
            Reject: The board knows no such open intent, or its tree has no green verdict.
        """
        self._must_be_intended(board, request)
        current = self.repository.resolve(request.ref)
        is_elsewhere = current not in (None, request.old)
        contains = is_elsewhere and self.repository.is_ancestor(request.new, current or "")
        step = next_step(current, request.old, contains)
        if step == "moved":
            reason = moved_sentence(board.run.integration, current, request.old)
            return LandFinished(intent=request.intent, outcome="moved", reason=reason)
        branch = board.run.integration
        if step == "move" and (where := self.repository.where_checked_out(branch)):
            reason = f"{branch} is checked out in {where}; check out another branch there, then `callboard resume`"
            return LandFinished(intent=request.intent, outcome="blocked", reason=reason)
        try:
            if step == "tag":
                self.repository.tag_all(request.tags)
            elif not self.repository.land(request.ref, request.new, request.old, request.tags):
                return self.land(board, request)
        except WorkspaceError as error:
            reason = f"{error}; then `callboard resume`"
            return LandFinished(intent=request.intent, outcome="blocked", reason=reason)
        return LandFinished(intent=request.intent, outcome="landed")

    def _must_be_intended(self, board: Board, request: LandRequested) -> None:
        intent = board.get(f"intent:{request.intent}", IntentDoc)
        asked = (request.ref, request.old, request.new, request.tree)
        if (intent.ref, intent.old, intent.new, intent.tree) != asked:
            raise Reject(f"the board has no intent {request.intent} to move {request.ref} to {request.new[:12]}")
        verdict = board.get(intent.verdict, GateDoc)
        if verdict.verdict != "green" or verdict.tree != request.tree:
            raise Reject(f"tree {request.tree[:12]} has no green verdict")
        if self.repository.tree_of(request.new) != request.tree:
            raise Reject(f"commit {request.new[:12]} does not hold tree {request.tree[:12]}")


def landing_message(branches: Sequence[MergeBranch]) -> str:
    """Of the one commit by which a stack lands; what later runs read stands in the merges on its side chain."""
    titles = [branch.message.partition("\n")[0] for branch in branches]
    if len(branches) == 1:
        return f"{titles[0]} ({branches[0].task})\n"
    names = ", ".join(branch.task for branch in branches[:SPELLED_OUT])
    more = f" and {len(branches) - SPELLED_OUT} more" if len(branches) > SPELLED_OUT else ""
    rows = [f"- {branch.task} {title}" for branch, title in zip(branches, titles, strict=True)]
    return "\n".join((f"Land {names}{more}", "", *rows, ""))


def moved_sentence(branch: str, at: str | None, expected: str) -> str:
    where = f"is at {at[:12]}" if at else "is gone"
    return (
        f"somebody moved {branch}: it {where}, the last landing left it at {expected[:12]}; "
        f"put it back with `git update-ref refs/heads/{branch} {expected}`, then `callboard resume`"
    )
