from __future__ import annotations

from pathlib import Path

from workshop import Workshop, git, make_workshop, write

from callboard.agents.workspace.preflight import problems


def check(path: Path, *agents: str, integration: str = "callboard/r1", target: str = "main") -> tuple[str, ...]:
    return problems(path, agents=agents or ("driver-1",), integration=integration, target=target)


def test_an_ordinary_repository_has_no_problem(workshop: Workshop) -> None:
    assert check(workshop.root) == ()
    assert check(workshop.root / "app") == ()


def test_a_folder_outside_any_repository_is_told_to_init(tmp_path: Path) -> None:
    (problem,) = check(tmp_path)
    assert "not in a git repository; run `git init`" in problem


def test_a_repository_without_a_commit_is_told_to_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (problem,) = check(tmp_path)
    assert "no commit yet; commit something" in problem


def test_a_bare_repository_is_told_to_be_cloned(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare")
    (problem,) = check(tmp_path)
    assert "launch in a clone of it" in problem


def test_a_missing_target_is_named(workshop: Workshop) -> None:
    (problem,) = check(workshop.root, target="trunk")
    assert "no branch trunk; create it, or set `[project] target`" in problem


def test_submodules_and_converted_files_are_refused(tmp_path: Path) -> None:
    workshop = make_workshop(tmp_path / "project")
    other = make_workshop(tmp_path / "other")
    git(
        workshop.root,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(other.root),
        "vendor/other",
    )
    workshop.commit({"data/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    submodule, lfs = check(workshop.root)
    assert "has submodules (vendor/other)" in submodule
    assert lfs.startswith("data/.gitattributes sends files through lfs")


def test_a_partial_clone_is_told_to_fetch(workshop: Workshop, tmp_path: Path) -> None:
    git(workshop.root, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", workshop.root.as_uri(), "partial")
    (problem,) = check(tmp_path / "partial")
    assert "git fetch --refetch --no-filter" in problem


def test_branches_that_make_ours_impossible_are_named_with_the_way_out(workshop: Workshop) -> None:
    for branch in ("driver-1", "callboard", "senior/log/old"):
        git(workshop.root, "branch", branch)
    one, two, three = check(workshop.root, "driver-1", "senior")
    assert "branch driver-1 makes driver-1/work impossible; rename it (`git branch -m driver-1" in one
    assert "branch senior/log/old makes senior/log impossible" in two
    assert "branch callboard makes callboard/r1 impossible" in three


def test_agents_branches_must_not_be_checked_out(workshop: Workshop, tmp_path: Path) -> None:
    git(workshop.root, "worktree", "add", "-q", "-b", "driver-1/work", str(tmp_path / "w"))
    (one,) = check(workshop.root)
    assert one.startswith(f"driver-1/work, an agent's branch, is checked out in {tmp_path / 'w'}")


def test_a_broken_repository_is_one_sentence(tmp_path: Path) -> None:
    workshop = make_workshop(tmp_path / "project")
    write(workshop.root, {".git/config": "[core\n"})
    (problem,) = check(workshop.root)
    assert "git cannot read the repository" in problem
    assert "config" in problem
