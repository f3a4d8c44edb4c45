"""Landing: merges as objects, intents carried out. Every step can be repeated after a crash.

Order of a landing: 1 the merge commit is written as an object, 2 the desk commits the intent to the board, 3 the ref
moves by compare-and-swap, 4 the tag, 5 the desk commits `merge.landed`. After a crash the ref tells what is left to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from callboard.agents.workspace.git import MergeResult, Person, TreeChange
from callboard.bus.board import Board, GateDoc, IntentDoc, RunDoc
from callboard.bus.errors import Reject, WorkspaceError
from callboard.bus.messages import (
    LandFinished,
    LandRequested,
    MergePrepared,
    MergeRequested,
)


class LandRepository(Protocol):
    """What landing needs of the user's repository; see agents/workspace/git.py."""

    def resolve(self, rev: str) -> str | None: ...
    def tree_of(self, commit: str) -> str: ...
    def is_ancestor(self, ancestor: str, descendant: str) -> bool: ...
    def merge_tree(self, ours: str, theirs: str) -> MergeResult: ...
    def changes(self, old: str, new: str) -> tuple[TreeChange, ...]: ...
    def commit_tree(self, tree: str, parents: Sequence[str], message: str, author: Person, at: datetime) -> str: ...
    def update_ref(self, ref: str, new: str, old: str) -> bool: ...
    def tag(self, name: str, commit: str) -> None: ...
    def checked_out(self) -> Mapping[str, Path]: ...


def person(agent: str) -> Person:
    """The git identity of an agent."""
    return Person(agent, f"{agent}@localhost")


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
        """Write the merge of a task into the integration head as an object. Nothing moves."""
        head = self.repository.resolve(f"refs/heads/{run.integration}")
        if head != run.head:
            return MergePrepared(outcome="moved", reason=moved_sentence(run.integration, head, run.head))
        if self.repository.is_ancestor(request.commit, run.head):
            return MergePrepared(outcome="contained", old=run.head)
        merged = self.repository.merge_tree(run.head, request.commit)
        if merged.conflicts:
            return MergePrepared(outcome="conflict", old=run.head, conflicts=tuple(merged.conflicts))
        return self._write(run.head, merged.tree, request)

    def _write(self, head: str, tree: str, request: MergeRequested) -> MergePrepared:
        changed = self._paths(head, tree)
        if not changed:
            return MergePrepared(outcome="contained", old=head)
        beyond = changed - set(request.files)
        if beyond:
            return MergePrepared(outcome="conflict", old=head, conflicts=tuple(sorted(beyond)))
        parents = (head, request.commit)
        new = self.repository.commit_tree(tree, parents, request.message, person(request.agent), request.at)
        overlap = self._paths(request.reviewed_base, head) & set(request.files)
        return MergePrepared(outcome="clean", old=head, new=new, tree=tree, overlap=tuple(sorted(overlap)))

    def _paths(self, old: str, new: str) -> set[str]:
        return set() if old == new else {change.path for change in self.repository.changes(old, new)}

    def land(self, board: Board, request: LandRequested) -> LandFinished:
        """Finish one intent.

        Raises:
            Reject: The board knows no such open intent, or its tree has no green verdict.
        """
        self._must_be_intended(board, request)
        current = self.repository.resolve(request.ref)
        contains = current is not None and self.repository.is_ancestor(request.new, current)
        match next_step(current, request.old, contains):
            case "moved":
                reason = moved_sentence(board.run.integration, current, request.old)
                return LandFinished(intent=request.intent, outcome="moved", reason=reason)
            case "move":
                branch = board.run.integration
                if where := self.repository.checked_out().get(branch):
                    reason = (
                        f"{branch} is checked out in {where}; check out another branch there, then `callboard resume`"
                    )
                    return LandFinished(intent=request.intent, outcome="blocked", reason=reason)
                if not self.repository.update_ref(request.ref, request.new, request.old):
                    return self.land(board, request)
            case "tag":
                pass
        try:
            self.repository.tag(request.tag, request.new)
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


def moved_sentence(branch: str, at: str | None, expected: str) -> str:
    where = f"is at {at[:12]}" if at else "is gone"
    return (
        f"somebody moved {branch}: it {where}, the last landing left it at {expected[:12]}; "
        f"put it back with `git update-ref refs/heads/{branch} {expected}`, then `callboard resume`"
    )
