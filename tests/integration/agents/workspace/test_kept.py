from __future__ import annotations

import pytest
from workshop import DRIVER, NOON, Workshop, git, write

from callboard.agents.workspace.kept import KeptRef, bring_back, find_kept, kept_refs
from callboard.bus.errors import WorkspaceError


def kept(workshop: Workshop) -> list[KeptRef]:
    return kept_refs(workshop.layout, workshop.repository)


def pinned(workshop: Workshop, ref: str, text: str = "half done\n") -> str:
    """A commit on the head that nothing but `ref` keeps."""
    tree = git(workshop.root, "rev-parse", "HEAD^{tree}")
    commit = workshop.repository.commit_tree(tree, [workshop.head], text, DRIVER, NOON)
    git(workshop.root, "update-ref", ref, commit)
    return commit


def parked(workshop: Workshop, agent: str = "driver-1") -> str:
    clone = workshop.prepared(agent)
    write(clone.path, {"app/new.py": f"{agent} was here\n"})
    commit = clone.park("T-1", 1)
    assert commit is not None
    return commit


def test_where_nothing_was_launched_nothing_is_kept(workshop: Workshop) -> None:
    assert kept(workshop) == []


def test_parked_work_is_found_in_the_repository_and_in_the_vaults(workshop: Workshop) -> None:
    mine, theirs = pinned(workshop, "refs/callboard/r1/wip/T-2/1"), parked(workshop)
    found = {ref.name: ref for ref in kept(workshop)}
    assert {name: ref.commit for name, ref in found.items()} == {
        "r1/wip/T-2/1": mine,
        "driver-1/wip/T-1/1": theirs,
    }
    assert found["driver-1/wip/T-1/1"].agent == "driver-1"
    assert found["driver-1/wip/T-1/1"].source == workshop.layout.vault("driver-1")


def test_what_the_manager_has_fetched_is_listed_once_in_the_repository(workshop: Workshop) -> None:
    commit = parked(workshop)
    vault = workshop.layout.vault("driver-1")
    workshop.repository.fetch_commit(vault, "refs/wip/T-1/1", commit, "refs/callboard/r1/wip/T-1/1")
    assert [ref.name for ref in kept(workshop)] == ["r1/wip/T-1/1"]


def test_the_ref_that_only_says_where_a_run_began_keeps_no_work(workshop: Workshop) -> None:
    git(workshop.root, "update-ref", "refs/callboard/r1/base", "HEAD")
    assert kept(workshop) == []


def test_work_that_a_branch_contains_is_told_apart(workshop: Workshop) -> None:
    landed = pinned(workshop, "refs/callboard/r1/tasks/T-1/1")
    git(workshop.root, "branch", "callboard/r1", landed)
    pinned(workshop, "refs/callboard/r1/tasks/T-2/1", "refused\n")
    assert {ref.name: ref.on_branch for ref in kept(workshop)} == {"r1/tasks/T-1/1": True, "r1/tasks/T-2/1": False}


def test_an_agents_work_branch_is_no_home_for_it_moves_on_with_the_next_task(workshop: Workshop) -> None:
    parked(workshop)
    commit = pinned(workshop, "refs/callboard/r1/tasks/T-2/1")
    git(workshop.root, "branch", "driver-1/work", commit)
    assert not any(ref.on_branch for ref in kept(workshop))


@pytest.mark.parametrize("way", ["name", "ref", "commit"])
def test_kept_work_can_be_named_in_three_ways(workshop: Workshop, way: str) -> None:
    pinned(workshop, "refs/callboard/r1/wip/T-2/1")
    (wanted,) = kept(workshop)
    said = {"name": wanted.name, "ref": wanted.ref, "commit": wanted.commit[:9]}[way]
    assert find_kept(said, kept(workshop)) == wanted


@pytest.mark.parametrize("name", ["r9/wip/T-2/1", "", "abc"])
def test_a_name_of_nothing_is_answered_with_where_to_look(workshop: Workshop, name: str) -> None:
    pinned(workshop, "refs/callboard/r1/wip/T-2/1")
    with pytest.raises(WorkspaceError, match="callboard recover"):
        find_kept(name, kept(workshop))


def test_work_comes_back_as_a_branch_and_nothing_else_moves(workshop: Workshop) -> None:
    commit = parked(workshop)
    before = git(workshop.root, "rev-parse", "HEAD"), git(workshop.root, "status", "--porcelain")
    (wanted,) = kept(workshop)
    bring_back(workshop.repository, wanted, "recovered/health")
    assert git(workshop.root, "rev-parse", "recovered/health") == commit
    assert git(workshop.root, "show", "recovered/health:app/new.py") == "driver-1 was here"
    assert before == (git(workshop.root, "rev-parse", "HEAD"), git(workshop.root, "status", "--porcelain"))
    bring_back(workshop.repository, wanted, "recovered/health")


def test_a_branch_that_exists_is_not_moved(workshop: Workshop) -> None:
    pinned(workshop, "refs/callboard/r1/wip/T-2/1")
    git(workshop.root, "branch", "mine")
    with pytest.raises(WorkspaceError, match="exists already"):
        bring_back(workshop.repository, kept(workshop)[0], "mine")
    assert git(workshop.root, "rev-parse", "mine") == workshop.head


@pytest.mark.parametrize("branch", ["-f", "a..b", "a b", "refs/../x", "HEAD"])
def test_a_name_that_no_branch_can_have_is_refused(workshop: Workshop, branch: str) -> None:
    pinned(workshop, "refs/callboard/r1/wip/T-2/1")
    with pytest.raises(WorkspaceError, match="cannot name a branch"):
        bring_back(workshop.repository, kept(workshop)[0], branch)
