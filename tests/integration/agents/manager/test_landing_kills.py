"""kill -9 at every git command of stacking and landing, and two managers that land the same at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from dying_git import DyingRepository, survives
from git_branches import NOON, branch_with, history, plain

from callboard.agents.manager.landing import Lander
from callboard.agents.manager.stack import person
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Board, GateDoc, IntentDoc, RunDoc
from callboard.bus.hand_messages import MergeBranch
from callboard.bus.messages import LandRequested, MergePrepared, MergeRequested

REF = "refs/heads/callboard/r"
TASKS = ("T-1", "T-2", "T-3")


@dataclass
class Scene:
    """A stack of three that is asked for, and what the board has of it."""

    root: Path
    base: str
    request: MergeRequested

    @property
    def repository(self) -> Repository:
        return Repository(self.root)

    @property
    def run(self) -> RunDoc:
        return RunDoc(version=1, id="r", base=self.base, head=self.base, integration="callboard/r", target="main")

    def prepare(self, repository: Repository) -> MergePrepared:
        return Lander(repository).prepare(self.run, self.request)

    def land(self, made: MergePrepared, repository: Repository) -> str:
        return Lander(repository).land(self.board(made), intended(made)).outcome

    def board(self, made: MergePrepared) -> Board:
        return board_of(self.run, intended(made))

    def line(self) -> list[str]:
        """What is on the integration line beyond the base."""
        head = self.repository.resolve(REF) or ""
        return [commit.sha for commit in self.repository.log_first_parent(head, self.base)]


def board_of(run: RunDoc, request: LandRequested) -> Board:
    values = request.model_dump(include={"ref", "old", "new", "tree"})
    intent = IntentDoc.model_validate({"version": 1, "id": request.intent, "verdict": "verdict:t:h", **values})
    green = GateDoc(version=1, tree=request.tree, gate_hash="h", verdict="green")
    return Board({"run": run, f"intent:{request.intent}": intent, "verdict:t:h": green})


def intended(made: MergePrepared) -> LandRequested:
    top = made.branches[-1]
    tags = {f"callboard/r/main/{row.task}": row.merge for row in made.branches}
    return LandRequested(intent="I-1", ref=REF, old=made.old, new=made.landing, tree=top.tree, tags=tags)


def make_scene(root: Path) -> Scene:
    base = history(root, 1, 2)
    branches = tuple(
        MergeBranch(
            task=task,
            agent="driver-1",
            commit=branch_with(root, base, {f"{task}.txt": plain("x\n")}),
            base=base,
            reviewed_base=base,
            files=(f"{task}.txt",),
            message=f"{task}\n\nTask: {task}\n",
            at=NOON,
        )
        for task in TASKS
    )
    Repository(root).update_ref(REF, base, None)
    return Scene(root, base, MergeRequested(stack=1, branches=branches, at=NOON))


def killed_everywhere(work: Callable[[Repository], object], root: Path, check: Callable[[int], None]) -> int:
    """Kill it before and after each of its git commands, in turn, until it comes through.

    Returns:
        How many commands it has.
    """
    at = 1
    while True:
        for after in (False, True):
            if survives(partial(work, DyingRepository(root, at, after=after))):
                return at - 1
            check(at)
        at += 1


@pytest.mark.long
def test_stacking_that_is_killed_anywhere_writes_the_same_objects_in_the_end(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "r")
    expected = scene.prepare(scene.repository)
    assert [row.outcome for row in expected.branches] == ["stacked"] * 3

    def check(at: int) -> None:
        assert scene.line() == []
        assert scene.prepare(scene.repository) == expected, f"killed at command {at}"

    assert killed_everywhere(scene.prepare, scene.root, check) >= 10


@pytest.mark.long
def test_a_landing_that_is_killed_anywhere_lands_once_with_its_tags(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "r")
    made = scene.prepare(scene.repository)
    repository = scene.repository

    def check(at: int) -> None:
        assert scene.line() in ([], [made.landing]), f"killed at command {at}"
        assert scene.land(made, repository) == "landed"
        assert scene.line() == [made.landing]
        tags = repository.refs("refs/tags")
        assert list(tags.values()) == [row.merge for row in made.branches]
        for name, sha in tags.items():
            assert repository.delete_ref(name, sha)
        assert repository.update_ref(REF, scene.base, made.landing)

    assert killed_everywhere(partial(scene.land, made), scene.root, check) >= 5
    assert scene.line() == [made.landing]


RACES = 1_000


@pytest.mark.long
def test_two_managers_that_land_the_same_at_once_land_it_once(
    tmp_path: Path, seed: int, time_is_up: Callable[[], bool]
) -> None:
    """Each race is one landing that two processes' hands carry out at the same moment, each with a repository of its own."""
    scene = make_scene(tmp_path / "r")
    repository, head, landed = scene.repository, scene.base, 0
    tree = repository.tree_of(head)
    for race in range(RACES):
        new = repository.commit_tree(tree, (head,), f"race {race}", person("manager"), NOON)
        request = LandRequested(intent=f"I-{race}", ref=REF, old=head, new=new, tree=tree)
        board = board_of(scene.run, request)
        barrier, outcomes = threading.Barrier(2), list[str]()

        def land(board: Board, request: LandRequested, barrier: threading.Barrier, outcomes: list[str]) -> None:
            lander = Lander(Repository(scene.root))
            barrier.wait()
            outcomes.append(lander.land(board, request).outcome)

        threads = [threading.Thread(target=land, args=(board, request, barrier, outcomes)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == ["landed", "landed"], f"race {race}"
        head, landed = new, landed + 1
        if time_is_up():
            break
    assert len(scene.line()) == landed, "a landing too many, or one that is lost"
    print(f"seed {seed}: {landed} races of two managers, each landed once")
