"""A small world for model-based tests: real decisions and real landing code over an in-memory repository and bus."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from timers_left import timers_left

from callboard.agents.manager.decision import Policy
from callboard.agents.manager.desk import decide
from callboard.agents.manager.landing import Lander
from callboard.agents.manager.verdicts import gate_hash
from callboard.agents.workspace.git import MergeResult, Person, TreeChange
from callboard.agents.workspace.git_output import ABSENT_MODE
from callboard.bus.board import Board, Change, ManagerDoc, RunDoc
from callboard.bus.messages import (
    JOURNAL,
    AgentStarted,
    Body,
    Draft,
    Envelope,
    GateFinished,
    GateRequested,
    LandRequested,
    MergeRequested,
    Outcome,
    PromotionFinished,
    PromotionRequested,
    RosterChanged,
    Timer,
    outcome_id,
)
from callboard.bus.task import CommandResult, Permit

START = datetime(2026, 1, 1, tzinfo=UTC)
Tree = Mapping[str, str]


def sha(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def _mode(files: Tree, path: str) -> str:
    return "100644" if path in files else ABSENT_MODE


def _blob(files: Tree, path: str) -> str:
    return sha(files[path]) if path in files else "0" * 40


class MemoryRepository:
    """Commits, trees and refs as dictionaries; the same operations as the real one."""

    def __init__(self) -> None:
        self.trees: dict[str, Tree] = {}
        self.commits: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.refs: dict[str, str] = {}
        self.tags: dict[str, str] = {}

    def write(self, files: Tree) -> str:
        tree = sha(repr(sorted(files.items())))
        self.trees[tree] = dict(files)
        return tree

    def files(self, rev: str) -> Tree:
        return self.trees[self.commits[rev][0] if rev in self.commits else rev]

    def resolve(self, rev: str) -> str | None:
        return self.refs.get(rev)

    def tree_of(self, commit: str) -> str:
        return self.commits[commit][0]

    def trees_of(self, commits: Sequence[str]) -> tuple[str, ...]:
        return tuple(map(self.tree_of, commits))

    def ancestors(self, commit: str) -> set[str]:
        seen: set[str] = set()
        todo = [commit]
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo.extend(self.commits[one][1])
        return seen

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return ancestor in self.ancestors(descendant)

    def merge_tree(self, ours: str, theirs: str) -> MergeResult:
        common = self.ancestors(ours) & self.ancestors(theirs)
        best = max(common, key=lambda one: len(self.ancestors(one)))
        base, left, right = self.files(best), self.files(ours), self.files(theirs)
        merged: dict[str, str] = {}
        conflicts: list[str] = []
        for path in sorted(base.keys() | left.keys() | right.keys()):
            versions = (base.get(path), left.get(path), right.get(path))
            if versions[1] == versions[2] or versions[0] == versions[2]:
                chosen = versions[1]
            elif versions[0] == versions[1]:
                chosen = versions[2]
            else:
                conflicts.append(path)
                continue
            if chosen is not None:
                merged[path] = chosen
        return MergeResult(self.write(merged), tuple(conflicts))

    def changes(self, old: str, new: str) -> tuple[TreeChange, ...]:
        left, right = self.files(old), self.files(new)
        return tuple(
            TreeChange(path, _mode(left, path), _mode(right, path), _blob(left, path), _blob(right, path), "M")
            for path in sorted(left.keys() | right.keys())
            if left.get(path) != right.get(path)
        )

    def changes_between(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[TreeChange, ...], ...]:
        return tuple(self.changes(old, new) for old, new in pairs)

    def read_blobs(self, shas: Iterable[str]) -> Mapping[str, bytes]:
        known = {sha(text): text.encode() for files in self.trees.values() for text in files.values()}
        return {blob: known[blob] for blob in shas}

    def read_paths(self, tree: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: text.encode() for path, text in self.files(tree).items() if path in paths}

    def commit_tree(self, tree: str, parents: Sequence[str], message: str, author: Person, at: datetime) -> str:
        commit = sha(f"{tree}{tuple(parents)}{message}{author}{at}")
        self.commits[commit] = (tree, tuple(parents))
        return commit

    def land(self, ref: str, new: str, old: str, tags: Mapping[str, str]) -> bool:
        if self.refs.get(ref) != old:
            return False
        self.refs[ref] = new
        self.tag_all(tags)
        return True

    def tag_all(self, tags: Mapping[str, str]) -> None:
        self.tags |= tags

    def where_checked_out(self, branch: str) -> Path | None:
        return None


@dataclass(slots=True)
class DeskProcess:
    """One manager process: what it believes the board to be, and its epoch."""

    board: Board
    office: ManagerDoc | None = None
    alive: bool = True


@dataclass(slots=True)
class World:
    """Board, inboxes, timers and repository, with the same commit rules as the scripts."""

    policy: Policy = field(default_factory=lambda: Policy(gate=("test",)))
    board: Board = field(default_factory=Board)
    repository: MemoryRepository = field(default_factory=MemoryRepository)
    inboxes: dict[str, list[Envelope]] = field(default_factory=dict)
    timers: list[Timer] = field(default_factory=list)
    journal: list[Envelope] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    now: datetime = START
    count: int = 0
    guarded: bool = True
    """False removes the guards and version checks, to show that they are needed."""

    def launch(self, roles: Mapping[str, str], files: Tree) -> None:
        tree = self.repository.write(files)
        base = self.repository.commit_tree(tree, (), "base", Person("a", "b"), START)
        self.repository.refs |= {"refs/heads/callboard/r": base, "refs/heads/main": base}
        run = RunDoc(version=1, id="r", base=base, head=base, integration="callboard/r", target="main")
        self.board = Board({"run": run})
        seats = {name: name for name, role in roles.items() if role == "reviewer"}
        self.send(Draft("manager", RosterChanged(agents=dict(roles), seats=seats)), "launcher")
        for name, role in roles.items():
            self.send(Draft("manager", AgentStarted(role=role, pid=1, host="h")), name)

    def send(self, draft: Draft, sender: str) -> Envelope:
        self.count += 1
        message = self._stamp(draft, f"{self.count:08x}-0000-7000-8000-000000000000", sender, None)
        self._deliver(message)
        return message

    def _stamp(self, draft: Draft, id: str, sender: str, cause: Envelope | None) -> Envelope:
        return draft.stamp(id=id, run="r", sender=sender, now=self.now, cause=cause)

    def _deliver(self, message: Envelope) -> None:
        if message.recipient == JOURNAL:
            self.journal.append(message)
        else:
            self.inboxes.setdefault(message.recipient, []).append(message)

    def commit(self, inbox: str, message: Envelope, outcome: Outcome, sender: str) -> bool:
        """True if it went through (or had before); False if the board had changed, and nothing was written."""
        if message.id in self.done:
            return True
        wanted = [(change.field, change.expected) for change in outcome.changes] + list(outcome.guards)
        for name, version in wanted:
            doc = self.board.docs.get(name)
            if self.guarded and (doc.version if doc else 0) != version:
                return False
        self.board = self.board.with_changes(outcome.changes)
        for n, draft in enumerate(outcome.messages):
            self._deliver(self._stamp(draft, outcome_id(message.id, n), sender, message))
        self.timers = timers_left(self.timers, outcome)
        self.done.add(message.id)
        self.inboxes[inbox].remove(message)
        return True

    def fire(self, index: int) -> None:
        timer = self.timers.pop(index)
        self.now += timer.after
        self.send(timer.draft, "manager")

    def desk(self, process: DeskProcess, message: Envelope) -> bool:
        """Decide one message in a manager process, and commit."""
        if process.office is None and not self.enter(process):
            return False
        assert process.office is not None
        outcome = decide(process.board, message, self.now, self.policy)
        outcome = replace(outcome, guards=(("manager", process.office.version),))
        if self.commit("manager", message, outcome, "manager"):
            process.board = process.board.with_changes(outcome.changes)
            return True
        process.board = self.board
        process.alive = self.board.get("manager", ManagerDoc).epoch == process.office.epoch
        return False

    def enter(self, process: DeskProcess) -> bool:
        """Become the manager by a change of its own, then read the board: what was read before may be old."""
        before = process.board.get("manager", ManagerDoc)
        if self.guarded and before != self.board.get("manager", ManagerDoc):
            process.board = self.board
            return False
        process.office = ManagerDoc(version=before.version + 1, epoch=before.epoch + 1)
        self.board = self.board.with_changes([Change("manager", process.office)])
        process.board = self.board
        return True

    def land(self, message: Envelope, *, killed: bool = False) -> bool:
        lander = Lander(self.repository)
        answer: Body
        match message.body:
            case MergeRequested() as body:
                answer = lander.prepare(self.board.run, body)
            case LandRequested() as body:
                answer = lander.land(self.board, body)
            case PromotionRequested() as body:
                run = self.board.run
                answer = PromotionFinished(command=body.command, ok=True, target="main", old=run.base, new=run.head)
            case _:
                raise AssertionError(message.kind)
        if killed:
            return False
        return self.commit("land", message, Outcome((Draft("manager", answer),)), "land")

    def gate(self, message: Envelope, verdict: str, *, killed: bool = False) -> bool:
        if not isinstance(message.body, GateRequested):
            return self.commit("gate", message, Outcome(), "gate")
        body = message.body
        rev = body.commit or body.base
        files = tuple(change.path for change in self.repository.changes(body.base, rev))
        result = CommandResult(command="test", exit_code=0 if verdict == "green" else 1, duration_s=0, digest="")
        answer = GateFinished.model_validate(
            {
                "purpose": body.purpose,
                "verdict": verdict,
                "commit": body.commit,
                "tree": self.repository.tree_of(rev),
                "gate_hash": gate_hash(self.policy, body.spec),
                "commands": (result,),
                "files": files,
                "permits": (Permit(rule="document", path="new.md"),) if verdict == "approval" else (),
            }
        )
        return not killed and self.commit("gate", message, Outcome((Draft("manager", answer),)), "gate")
