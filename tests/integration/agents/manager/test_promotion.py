"""Promotion in a real repository: by fast-forward, and never over somebody's work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from workshop import DRIVER, NOON, Workshop, git, imprint, write

from callboard.agents.manager.promotion import promote
from callboard.bus.board import RunDoc
from callboard.bus.messages import PromotionFinished, PromotionRequested

ASKED = PromotionRequested(command="c")


def landed(workshop: Workshop) -> RunDoc:
    """A run whose integration branch is one commit ahead of main."""
    base = workshop.head
    git(workshop.root, "branch", "callboard/r")
    files = {"new.py": b"x\n", "app/main.py": b"print('better')\n"}
    head = workshop.repository.commit_files("callboard/r", files, "land", DRIVER, NOON)
    return RunDoc(version=1, id="r", base=base, head=head, integration="callboard/r", target="main")


@pytest.fixture
def run(workshop: Workshop) -> RunDoc:
    return landed(workshop)


def main_of(workshop: Workshop) -> str:
    return git(workshop.root, "rev-parse", "refs/heads/main")


def refused(workshop: Workshop, run: RunDoc) -> str:
    """Why it was refused; nothing was changed but what git notes down when it tries."""
    notes = [".git/index", ".git/worktrees", ".git/ORIG_HEAD"]
    before = imprint(workshop.root, without=notes)
    finished = promote(workshop.repository, run, ASKED)
    assert not finished.ok
    assert imprint(workshop.root, without=notes) == before
    return finished.reason


def test_a_clean_checkout_of_the_target_follows(workshop: Workshop, run: RunDoc) -> None:
    write(workshop.root, {"notes.txt": "mine, untracked\n"})
    finished = promote(workshop.repository, run, ASKED)
    assert finished == PromotionFinished(command="c", ok=True, target="main", old=run.base, new=run.head)
    assert main_of(workshop) == run.head
    assert (workshop.root / "new.py").read_text() == "x\n"
    assert git(workshop.root, "status", "--porcelain") == "?? notes.txt"


def test_the_same_again_after_a_crash_is_fine(workshop: Workshop, run: RunDoc) -> None:
    promote(workshop.repository, run, ASKED)
    assert promote(workshop.repository, run, ASKED).ok
    assert main_of(workshop) == run.head


def test_a_target_that_is_checked_out_nowhere_is_just_moved(workshop: Workshop, run: RunDoc) -> None:
    git(workshop.root, "checkout", "--quiet", "-b", "mine")
    write(workshop.root, {"app/main.py": "print('in the middle of it')\n"})
    before = imprint(workshop.root, without=[".git"])
    assert promote(workshop.repository, run, ASKED).ok
    assert main_of(workshop) == run.head
    assert imprint(workshop.root, without=[".git"]) == before


@pytest.mark.parametrize("staged", [False, True])
def test_a_dirty_checkout_is_refused(workshop: Workshop, run: RunDoc, staged: bool) -> None:
    write(workshop.root, {"README.md": "# Mine\n"})
    if staged:
        git(workshop.root, "add", "README.md")
    reason = refused(workshop, run)
    assert f"{workshop.root} has uncommitted changes on main" in reason
    assert main_of(workshop) == run.base


def test_an_untracked_file_in_the_way_is_not_overwritten(workshop: Workshop, run: RunDoc) -> None:
    write(workshop.root, {"new.py": "mine\n"})
    assert "git could not fast-forward" in refused(workshop, run)
    assert (workshop.root / "new.py").read_text() == "mine\n"
    assert main_of(workshop) == run.base


def test_a_target_with_other_commits_is_refused(workshop: Workshop, run: RunDoc) -> None:
    other = workshop.commit({"other.py": "x\n"})
    reason = refused(workshop, run)
    assert "main has commits that" in reason
    assert f"merge {run.integration} into it by hand" in reason
    assert main_of(workshop) == other


def test_a_target_that_is_not_there_is_named(workshop: Workshop, run: RunDoc) -> None:
    assert "there is no branch release" in refused(workshop, run.model_copy(update={"target": "release"}))


def test_a_checkout_in_another_worktree_follows(workshop: Workshop, run: RunDoc, tmp_path: Path) -> None:
    git(workshop.root, "checkout", "--quiet", "-b", "mine")
    git(workshop.root, "worktree", "add", "--quiet", str(tmp_path / "main"), "main")
    assert promote(workshop.repository, run, ASKED).ok
    assert (tmp_path / "main/new.py").exists()
    assert git(tmp_path / "main", "status", "--porcelain") == ""
    assert not (workshop.root / "new.py").exists()


def test_a_dirty_checkout_in_another_worktree_is_refused_by_name(
    workshop: Workshop, run: RunDoc, tmp_path: Path
) -> None:
    git(workshop.root, "checkout", "--quiet", "-b", "mine")
    git(workshop.root, "worktree", "add", "--quiet", str(tmp_path / "main"), "main")
    write(tmp_path / "main", {"README.md": "# Mine\n"})
    assert f"{tmp_path / 'main'} has uncommitted changes" in refused(workshop, run)


def test_a_worktree_that_somebody_deleted_by_hand_is_an_answer_not_a_crash(
    workshop: Workshop, run: RunDoc, tmp_path: Path
) -> None:
    git(workshop.root, "checkout", "--quiet", "-b", "mine")
    git(workshop.root, "worktree", "add", "--quiet", str(tmp_path / "main"), "main")
    shutil.rmtree(tmp_path / "main")
    assert "git could not move main" in refused(workshop, run)
    git(workshop.root, "worktree", "prune")
    assert promote(workshop.repository, run, ASKED).ok
