"""Writing a stack: each branch's merge on top of the one before, as objects. Nothing moves, and no checkout is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from callboard.agents.manager.union import Changes, by_path, hunks_of, mixed, strange
from callboard.agents.workspace.git import MergeResult, Person, TreeChange
from callboard.bus.errors import Reject
from callboard.bus.hand_messages import MergeBranch, Merged


class StackRepository(Protocol):
    """What stacking needs of the user's repository; see agents/workspace/git.py."""

    def trees_of(self, commits: Sequence[str]) -> tuple[str, ...]: ...
    def merge_tree(self, ours: str, theirs: str) -> MergeResult: ...
    def changes_between(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[TreeChange, ...], ...]: ...
    def read_blobs(self, shas: Iterable[str]) -> Mapping[str, bytes]: ...
    def read_paths(self, tree: str, paths: Sequence[str]) -> Mapping[str, bytes]: ...
    def commit_tree(self, tree: str, parents: Sequence[str], message: str, author: Person, at: datetime) -> str: ...


def person(agent: str) -> Person:
    """The git identity of an agent."""
    return Person(agent, f"{agent}@localhost")


@dataclass(frozen=True, slots=True)
class Own:
    """What one branch brings, and what landed under it meanwhile."""

    branch: MergeBranch
    changes: Changes
    """Against what its task was given."""
    theirs: Changes
    """Of the integration head against the same."""
    unseen: frozenset[str]
    """Paths that landings since its review changed."""

    @property
    def files(self) -> frozenset[str]:
        return frozenset(self.branch.files)


@dataclass(slots=True)
class Stack:
    """One stack, branch by branch.

    Args:
        head: Of the integration branch.
        base: Its tree.
    """

    repository: StackRepository
    head: str
    base: str
    tip: str = field(init=False)
    """Of the side chain so far."""
    tree: str = field(init=False)
    rows: dict[str, Merged] = field(default_factory=dict)
    on_it: list[Own] = field(default_factory=list)
    _taken: dict[str, str] = field(default_factory=dict)
    """Path -> the task of the stack that changes it."""

    def __post_init__(self) -> None:
        self.tip, self.tree = self.head, self.base

    def add(self, own: Own) -> None:
        """Merge one branch on top, or say why not."""
        branch = own.branch
        if unseen := sorted(own.changes.keys() & own.unseen):
            self.rows[branch.task] = self._alone(own, unseen)
        elif shared := sorted(own.changes.keys() & self._taken.keys()):
            self._wait(branch, shared, self._taken[shared[0]])
        else:
            merged = self.repository.merge_tree(self.tip, branch.commit)
            if merged.conflicts:
                self._collide(own, merged)
            elif merged.tree == self.tree:
                self.rows[branch.task] = Merged(task=branch.task, outcome="contained")
            else:
                self._put(own, merged.tree)

    def _put(self, own: Own, tree: str) -> None:
        task = own.branch.task
        self.tip, self.tree = self._commit(own.branch, self.tip, tree), tree
        self._taken |= dict.fromkeys(own.changes, task)
        self.on_it.append(own)
        self.rows[task] = Merged(task=task, outcome="stacked", merge=self.tip, tree=tree)

    def _commit(self, branch: MergeBranch, parent: str, tree: str) -> str:
        parents = (parent, branch.commit)
        return self.repository.commit_tree(tree, parents, branch.message, person(branch.agent), branch.at)

    def _wait(self, branch: MergeBranch, paths: Sequence[str], other: str) -> None:
        self.rows[branch.task] = Merged(task=branch.task, outcome="waits", paths=tuple(paths), other=other)

    def _collide(self, own: Own, merged: MergeResult) -> None:
        """With what has landed, or only with what is in the stack before it and may yet be evicted."""
        alone = self.repository.merge_tree(self.head, own.branch.commit) if self.on_it else merged
        if alone.conflicts:
            self.rows[own.branch.task] = self.conflict(own, alone.conflicts, alone.tree)
        else:
            self._wait(own.branch, merged.conflicts, self.on_it[-1].branch.task)

    def _alone(self, own: Own, unseen: Sequence[str]) -> Merged:
        """On the head alone, for another review."""
        branch, merged = own.branch, self.repository.merge_tree(self.head, own.branch.commit)
        if merged.conflicts:
            return self.conflict(own, merged.conflicts, merged.tree)
        if merged.tree == self.base:
            return Merged(task=branch.task, outcome="contained")
        [net] = self.repository.changes_between([(self.base, merged.tree)])
        if wrong := self._wrong([own], by_path(net)):
            return self.conflict(own, wrong, merged.tree)
        merge = self._commit(branch, self.head, merged.tree)
        return Merged(task=branch.task, outcome="review", merge=merge, tree=merged.tree, paths=tuple(unseen))

    def conflict(self, own: Own, paths: Sequence[str], tree: str) -> Merged:
        hunks = hunks_of(self.repository.read_paths(tree, paths))
        return Merged(task=own.branch.task, outcome="conflict", paths=tuple(paths), hunks=hunks)

    def audit(self) -> list[Merged]:
        """Did every change of every branch come through, and nothing else? Those of which it did not, as conflicts.

        Raises:
            Reject: The stack changes what no branch of it does.
        """
        if not self.on_it:
            return []
        [net] = self.repository.changes_between([(self.base, self.tree)])
        if not self._wrong(self.on_it, by_path(net)):
            return []
        trees = [self.base, *(self.rows[own.branch.task].tree for own in self.on_it)]
        steps = self.repository.changes_between(list(pairwise(trees)))
        found = [(own, self._wrong([own], by_path(step))) for own, step in zip(self.on_it, steps, strict=True)]
        wrong = [self.conflict(own, paths, self.rows[own.branch.task].tree) for own, paths in found if paths]
        if not wrong:
            raise Reject(f"a stack on {self.head[:12]} changes what no branch of it does; nothing was moved")
        return wrong

    def _wrong(self, owns: Sequence[Own], net: Changes) -> tuple[str, ...]:
        """Paths at which this is not what the branches changed."""
        changes = {path: change for own in owns for path, change in own.changes.items()}
        theirs = {path: change for own in owns for path, change in own.theirs.items() if path in own.changes}
        found = strange(changes, theirs, net, frozenset().union(*(own.files for own in owns)))
        both = mixed(changes, theirs, net)
        shas = {sha for each in both.values() for sha in (each.base, each.mine, each.other, each.result)}
        blobs = self.repository.read_blobs(sha for sha in sorted(shas) if sha.strip("0"))
        return tuple(sorted({*found, *(path for path, each in both.items() if not each.is_whole(blobs))}))


def write_stack(repository: StackRepository, head: str, branches: Sequence[MergeBranch]) -> Stack:
    """Stack these branches in order. The same again writes the same objects."""
    barred: list[Merged] = []
    while True:
        names = {row.task for row in barred}
        stack = _stacked(repository, head, [branch for branch in branches if branch.task not in names])
        wrong = stack.audit()
        if not wrong:
            stack.rows |= {row.task: row for row in barred}
            return stack
        barred += wrong


def _stacked(repository: StackRepository, head: str, branches: Sequence[MergeBranch]) -> Stack:
    revs = [head, *(rev for branch in branches for rev in (branch.commit, branch.base, branch.reviewed_base))]
    trees = dict(zip(revs, repository.trees_of(revs), strict=True))
    stack = Stack(repository, head, trees[head])
    for own in _owns(repository, trees, trees[head], branches):
        stack.add(own)
    return stack


def _owns(
    repository: StackRepository, trees: Mapping[str, str], head: str, branches: Sequence[MergeBranch]
) -> list[Own]:
    """All that has to be compared, in one look."""
    pairs = [
        pair
        for branch in branches
        for pair in (
            (trees[branch.base], trees[branch.commit]),
            (trees[branch.base], head),
            (trees[branch.reviewed_base], head),
        )
    ]
    wanted = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    found = dict(zip(wanted, map(by_path, repository.changes_between(wanted)), strict=True))
    return [
        Own(
            branch,
            changes=found.get((trees[branch.base], trees[branch.commit]), {}),
            theirs=found.get((trees[branch.base], head), {}),
            unseen=frozenset(found.get((trees[branch.reviewed_base], head), {})),
        )
        for branch in branches
    ]
