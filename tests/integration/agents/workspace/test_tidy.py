from __future__ import annotations

from pathlib import Path

import pytest
from workshop import DRIVER, NOON, Workshop, git, write

from callboard.agents.workspace.kept import kept_refs
from callboard.agents.workspace.locks import ProcessLock
from callboard.agents.workspace.setup import recorded
from callboard.agents.workspace.tidy import Removal, removable_folders, removable_refs
from callboard.bus.errors import RosterError


def folders(workshop: Workshop) -> dict[str, Removal]:
    return {removal.name: removal for removal in removable_folders(workshop.layout, workshop.clone)}


def refs(workshop: Workshop, *old_runs: str) -> list[Removal]:
    return list(removable_refs(workshop.repository, old_runs, "callboard/{run}", "main"))


def kept_names(workshop: Workshop) -> list[str]:
    return [ref.name for ref in kept_refs(workshop.layout, workshop.repository)]


def commit_on(workshop: Workshop, text: str, *names: str) -> str:
    tree = git(workshop.root, "rev-parse", "HEAD^{tree}")
    commit = workshop.repository.commit_tree(tree, [workshop.head], text, DRIVER, NOON)
    for name in names:
        git(workshop.root, "update-ref", name, commit)
    return commit


def test_what_a_clone_holds_is_kept_before_the_clone_goes(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/new.py": "precious\n"})
    folders(workshop)[".callboard/clones/driver-1"].act()
    assert not clone.path.exists()
    (kept,) = kept_refs(workshop.layout, workshop.repository)
    assert git(workshop.layout.vault("driver-1"), "show", f"{kept.commit}:app/new.py") == "precious"


def test_an_untouched_clone_leaves_nothing_behind(workshop: Workshop) -> None:
    workshop.prepared()
    folders(workshop)[".callboard/clones/driver-1"].act()
    assert kept_names(workshop) == []


def test_the_next_clone_starts_as_if_there_had_been_none(workshop: Workshop) -> None:
    clone = workshop.prepared()
    (clone.checkout.git_dir / "callboard-setup.json").write_text('{"fingerprint": "f", "made": ["env/"]}')
    folders(workshop)[".callboard/clones/driver-1"].act()
    again = workshop.prepared()
    assert (again.path / "app/main.py").read_text() == "print('hello')\n"
    assert kept_names(workshop) == []
    assert recorded(again.checkout).fingerprint == ""


def test_removing_a_clone_twice_is_fine(workshop: Workshop) -> None:
    workshop.prepared()
    removal = folders(workshop)[".callboard/clones/driver-1"]
    removal.act()
    removal.act()
    assert kept_names(workshop) == []


def test_looking_changes_nothing(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/new.py": "precious\n"})
    assert folders(workshop)[".callboard/clones/driver-1"].size > 0
    assert (clone.path / "app/new.py").exists()
    assert kept_names(workshop) == []


def test_a_clone_with_a_repository_of_its_own_inside_stays(workshop: Workshop) -> None:
    clone = workshop.prepared()
    (clone.path / "vendor").mkdir()
    git(clone.path / "vendor", "init", "--quiet")
    assert "vendor/.git" in folders(workshop)[".callboard/clones/driver-1"].why_not


def test_a_clone_without_its_vault_stays_for_nothing_could_keep_its_work(workshop: Workshop) -> None:
    workshop.prepared()
    workshop.layout.vault("driver-1").rename(workshop.root / "elsewhere.git")
    assert "vault is gone" in folders(workshop)[".callboard/clones/driver-1"].why_not


def test_a_clone_whose_agent_works_is_not_removed(workshop: Workshop) -> None:
    clone = workshop.prepared()
    lock = ProcessLock(workshop.layout.lock("driver-1"))
    lock.acquire()
    with pytest.raises(RosterError, match="already running"):
        folders(workshop)[".callboard/clones/driver-1"].act()
    lock.release()
    assert clone.path.is_dir()


def test_slots_and_scratch_folders_go_whole_and_links_in_them_lead_nowhere(workshop: Workshop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    for folder in ("gates/1", "gates/1.git", "scratch/driver-1"):
        (workshop.layout.home / folder).mkdir(parents=True)
    (workshop.layout.scratch("driver-1") / "link").symlink_to(outside)
    found = folders(workshop)
    assert set(found) == {".callboard/gates/1", ".callboard/scratch/driver-1"}
    for removal in found.values():
        removal.act()
    assert (outside / "file").read_text() == "mine"
    assert not any(
        (workshop.layout.home / folder).exists() for folder in ("gates/1", "gates/1.git", "scratch/driver-1")
    )


def test_the_branch_and_pins_of_a_promoted_run_go(workshop: Workshop) -> None:
    commit = commit_on(workshop, "landed", "refs/heads/callboard/r1", "refs/callboard/r1/tasks/T-1/1")
    git(workshop.root, "update-ref", "refs/callboard/r1/base", "HEAD")
    git(workshop.root, "merge", "--quiet", "--ff-only", commit)
    for removal in refs(workshop, "r1"):
        assert not removal.why_not
        removal.act()
    left = git(workshop.root, "for-each-ref", "--format=%(refname)").splitlines()
    assert left == ["refs/callboard/r1/base", "refs/heads/main"]


def test_a_run_that_was_not_promoted_stays(workshop: Workshop) -> None:
    commit_on(workshop, "landed", "refs/heads/callboard/r1", "refs/callboard/r1/tasks/T-1/1")
    branch, pins = refs(workshop, "r1")
    assert "main does not contain it" in branch.why_not
    assert not pins.why_not, "its branch keeps what the pin keeps"
    pins.act()
    assert git(workshop.root, "rev-parse", "callboard/r1")


def test_pins_that_no_branch_contains_stay_and_the_others_go(workshop: Workshop) -> None:
    git(workshop.root, "update-ref", "refs/callboard/r1/tasks/T-1/1", "HEAD")
    lost = commit_on(workshop, "parked", "refs/callboard/r1/wip/T-2/1")
    stays, goes = sorted(refs(workshop, "r1"), key=lambda removal: not removal.why_not)
    assert "callboard recover" in stays.why_not
    goes.act()
    assert git(workshop.root, "for-each-ref", "--format=%(objectname)", "refs/callboard") == lost


def test_a_branch_that_moved_since_it_was_looked_at_stays(workshop: Workshop) -> None:
    git(workshop.root, "branch", "callboard/r1")
    (removal,) = refs(workshop, "r1")
    moved = commit_on(workshop, "more", "refs/heads/callboard/r1")
    removal.act()
    assert git(workshop.root, "rev-parse", "callboard/r1") == moved


def test_a_branch_that_is_checked_out_stays(workshop: Workshop) -> None:
    git(workshop.root, "checkout", "--quiet", "-b", "callboard/r1")
    (removal,) = refs(workshop, "r1")
    assert "checked out" in removal.why_not
