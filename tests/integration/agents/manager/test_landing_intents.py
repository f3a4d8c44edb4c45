"""Carrying out an intent: it can be repeated after a crash at any step, and moves only what the board intends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from landing_line import BRANCH, REF, TAG, Line, Ready
from workshop import NOON, git

from callboard.agents.manager.landing import Lander
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Board
from callboard.bus.errors import Reject
from callboard.bus.messages import MergeRequested

# --- carrying out an intent ---


def test_a_landing_moves_the_branch_and_tags_it(ready: Ready) -> None:
    assert ready.land() == ("landed", "")
    assert ready.is_landed()


def test_a_landing_said_twice_is_done_once(ready: Ready) -> None:
    ready.land()
    reflog = git(ready.line.workshop.root, "log", "--oneline", BRANCH)
    assert ready.land() == ("landed", "")
    assert git(ready.line.workshop.root, "log", "--oneline", BRANCH) == reflog


class Killed(Exception):
    """Stands for the end of the process."""


class Dying:
    """A repository whose process is killed before or after one of its effects."""

    def __init__(self, repository: Repository, effect: str, *, after: bool) -> None:
        self._repository = repository
        self._effect = effect
        self._after = after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._repository, name)
        if name != self._effect:
            return method

        def dying(*args: object) -> None:
            if self._after:
                method(*args)
            raise Killed

        return dying


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("effect", ["resolve", "land", "where_checked_out"])
def test_a_landing_is_finished_after_a_crash_at_any_step(ready: Ready, effect: str, after: bool) -> None:
    with pytest.raises(Killed):
        Lander(Dying(ready.line.repository, effect, after=after)).land(ready.board(), ready.request())
    assert ready.land() == ("landed", "")
    assert ready.is_landed()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("effect", ["merge_tree", "commit_tree"])
def test_a_merge_is_the_same_object_after_a_crash_at_any_step(line: Line, effect: str, after: bool) -> None:
    work = line.work({"new.py": "x\n"})
    expected = line.prepare(work, "new.py")
    request = MergeRequested(stack=1, branches=(line.branch(work, "new.py"),), at=NOON)
    with pytest.raises(Killed):
        Lander(Dying(line.repository, effect, after=after)).prepare(line.run(), request)
    assert line.prepare(work, "new.py") == expected


def test_an_intent_whose_commit_others_have_built_on_only_lacks_its_tag(ready: Ready) -> None:
    git(ready.line.workshop.root, "update-ref", REF, ready.prepared.landing)
    at = ready.line.others_land({"on-top.py": "x\n"})
    assert ready.land() == ("landed", "")
    assert ready.line.head == at
    assert ready.line.repository.resolve(f"refs/tags/{TAG}") == ready.prepared.branches[0].merge


def test_a_branch_that_somebody_moved_is_left_alone_and_the_way_out_works(ready: Ready) -> None:
    at = ready.line.others_land({"surprise.py": "x\n"})
    outcome, reason = ready.land()
    assert outcome == "moved"
    assert f"somebody moved {BRANCH}: it is at {at[:12]}" in reason
    assert ready.line.head == at
    command = reason.split("`")[1]
    git(ready.line.workshop.root, *command.split()[1:])
    assert ready.land() == ("landed", "")


def test_a_branch_that_is_gone_is_named_and_the_way_out_works(ready: Ready) -> None:
    git(ready.line.workshop.root, "update-ref", "-d", REF)
    outcome, reason = ready.land()
    assert outcome == "moved"
    assert "it is gone" in reason
    git(ready.line.workshop.root, *reason.split("`")[1].split()[1:])
    assert ready.land() == ("landed", "")


def test_a_branch_that_moves_between_the_look_and_the_move_is_not_overwritten(ready: Ready) -> None:
    line = ready.line

    class Racing:
        """Somebody moves the branch just before we do."""

        def __init__(self) -> None:
            self.at: str | None = None

        def __getattr__(self, name: str) -> Any:
            return getattr(line.repository, name)

        def land(self, ref: str, new: str, old: str, tags: Mapping[str, str]) -> bool:
            self.at = self.at or line.others_land({"surprise.py": "x\n"})
            return line.repository.land(ref, new, old, tags)

    racing = Racing()
    finished = Lander(racing).land(ready.board(), ready.request())
    assert finished.outcome == "moved"
    assert line.head == racing.at


def test_a_branch_that_is_checked_out_is_not_moved_under_its_checkout(ready: Ready, tmp_path: Path) -> None:
    root = ready.line.workshop.root
    git(root, "worktree", "add", "--quiet", str(tmp_path / "look"), BRANCH)
    outcome, reason = ready.land()
    assert outcome == "blocked"
    assert f"{BRANCH} is checked out in {tmp_path / 'look'}" in reason
    assert ready.line.head == ready.line.base
    git(root, "worktree", "remove", str(tmp_path / "look"))
    assert ready.land() == ("landed", "")


def test_a_tag_of_that_name_on_another_commit_stops_the_landing_until_it_is_gone(ready: Ready) -> None:
    root = ready.line.workshop.root
    git(root, "tag", TAG, ready.line.base)
    outcome, reason = ready.land()
    assert outcome == "blocked"
    assert f"tag {TAG} exists on another commit" in reason
    git(root, "tag", "--delete", TAG)
    assert ready.land() == ("landed", "")


# --- forged and replayed requests (attack 15) ---


@pytest.mark.parametrize(
    "values", [{"intent": "I-9"}, {"old": "1" * 40}, {"ref": "refs/heads/main"}, {"tree": "1" * 40}]
)
def test_a_request_that_the_board_does_not_intend_moves_nothing(ready: Ready, values: dict[str, object]) -> None:
    with pytest.raises(Reject, match="the board has no intent"):
        Lander(ready.line.repository).land(ready.board(), ready.request(**values))
    assert ready.line.head == ready.line.base


def test_a_request_for_another_commit_moves_nothing(ready: Ready) -> None:
    other = ready.line.prepare(ready.line.work({"evil.py": "x\n"}), "evil.py")
    with pytest.raises(Reject, match="the board has no intent"):
        Lander(ready.line.repository).land(ready.board(), ready.request(new=other.landing))
    assert ready.line.head == ready.line.base


@pytest.mark.parametrize("verdict", [{"verdict": "red"}, {"tree": "1" * 40}], ids=["red", "of another tree"])
def test_an_intent_without_a_green_verdict_of_its_tree_moves_nothing(ready: Ready, verdict: dict[str, object]) -> None:
    with pytest.raises(Reject, match="has no green verdict"):
        Lander(ready.line.repository).land(ready.board(**verdict), ready.request())
    assert ready.line.head == ready.line.base


def test_an_intent_without_any_verdict_moves_nothing(ready: Ready) -> None:
    docs = {name: doc for name, doc in ready.board().docs.items() if not name.startswith("verdict")}
    with pytest.raises(Reject, match="has no green verdict"):
        Lander(ready.line.repository).land(Board(docs), ready.request())


def test_a_commit_that_does_not_hold_the_tree_with_the_verdict_moves_nothing(ready: Ready) -> None:
    """The tree is swapped between check and use (attack 8)."""
    other = ready.line.prepare(ready.line.work({"evil.py": "x\n"}), "evil.py")
    swapped = Ready(ready.line, ready.prepared.model_copy(update={"landing": other.landing}))
    with pytest.raises(Reject, match="does not hold tree"):
        Lander(ready.line.repository).land(swapped.board(), swapped.request())
    assert ready.line.head == ready.line.base
    assert ready.line.repository.update_ref(REF, other.landing, ready.line.base), (
        "the wall off: a move asks for no verdict"
    )
    assert ready.line.repository.read(other.landing, "evil.py") == b"x\n"
