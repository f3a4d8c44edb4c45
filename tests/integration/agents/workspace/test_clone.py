from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from workshop import DRIVER, HANDIN, NOON, Workshop, git, make_workshop, write

from callboard.agents.workspace.clone import AgentClone
from callboard.bus.errors import WorkspaceError


def test_a_prepared_clone_holds_the_start_commit_and_is_a_clean_repository_for_the_brain(workshop: Workshop) -> None:
    clone = workshop.prepared()
    assert (clone.path / "app/main.py").read_text() == "print('hello')\n"
    assert git(clone.path, "status", "--porcelain") == ""
    assert git(clone.path, "rev-parse", "HEAD") == workshop.head
    assert git(clone.path, "branch", "--show-current") == "driver-1/work"
    assert git(clone.path, "log", "--format=%s") == "first"


def test_the_brain_can_commit_in_its_clone_without_a_git_configuration_of_its_own(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"new.py": "x = 1\n"})
    git(clone.path, "add", "new.py")
    git(clone.path, "commit", "-m", "mine", env={"GIT_CONFIG_GLOBAL": "/dev/null"})
    assert git(clone.path, "log", "-1", "--format=%an %s") == "driver-1 mine"


def test_a_hand_in_is_one_commit_on_the_base_with_new_changed_and_deleted_files(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "print('bye')\n", "app/new file.py": "new\n"})
    (clone.path / "README.md").unlink()
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert clone.vault.resolve(HANDIN) == commit
    assert [(c.path, c.status) for c in clone.vault.changes(workshop.head, commit)] == [
        ("README.md", "D"),
        ("app/main.py", "M"),
        ("app/new file.py", "A"),
    ]
    (made,) = clone.vault.commits(commit, since=workshop.head)
    assert made.parents == (workshop.head,)
    assert made.at == NOON


def test_the_same_hand_in_again_is_the_same_commit(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "x\n"})
    assert workshop.hand_in(clone) == workshop.hand_in(clone)


def test_a_hand_in_without_a_change_is_none(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "x\n"})
    write(clone.path, {"app/main.py": "print('hello')\n"})
    assert workshop.hand_in(clone) is None
    assert clone.park("T-1", 1) is None


def test_what_the_brain_committed_or_staged_itself_is_handed_in_like_what_it_only_wrote(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"a.py": "a\n", "b.py": "b\n", "c.py": "c\n"})
    git(clone.path, "add", "a.py")
    git(clone.path, "commit", "-m", "a")
    git(clone.path, "add", "b.py")
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert {c.path for c in clone.vault.changes(workshop.head, commit)} == {"a.py", "b.py", "c.py"}


def test_files_that_the_base_ignores_stay_out_even_when_the_brain_drops_the_rule(workshop: Workshop) -> None:
    base = workshop.commit({".gitignore": ".env\nbuild/\n", "lib/.gitignore": "*.log\n"})
    clone = workshop.prepared()
    write(clone.path, {".env": "SECRET\n", "build/x/y.o": "o\n", "lib/a.log": "l\n", "lib/a.py": "p\n"})
    write(clone.path, {".gitignore": "", "lib/.gitignore": ""})
    commit = workshop.hand_in(clone)
    assert commit is not None
    changed = {c.path for c in clone.vault.changes(base, commit)}
    assert changed == {".gitignore", "lib/.gitignore", "lib/a.py"}


def test_files_that_the_base_tracks_although_it_ignores_them_stay_tracked(workshop: Workshop) -> None:
    base = workshop.commit({".gitignore": "*.gen\n", "schema.gen": "1\n"})
    clone = workshop.prepared()
    write(clone.path, {"schema.gen": "2\n", "other.gen": "x\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert [c.path for c in clone.vault.changes(base, commit)] == ["schema.gen"]


def test_a_new_ignore_rule_of_the_brain_counts_for_new_files(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {".gitignore": "*.tmp\n", "a.tmp": "x\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert [c.path for c in clone.vault.changes(workshop.head, commit)] == [".gitignore"]


@pytest.mark.parametrize("content", [b"a\r\nb\r\n", b"mixed\r\nlines\n", b"\x00\xff\xfe", b"$Id$\n", b"no newline"])
def test_bytes_go_into_commits_and_clones_as_they_are(workshop: Workshop, content: bytes) -> None:
    git(workshop.root, "config", "core.autocrlf", "false")
    base = workshop.commit({"raw.txt": content})
    workshop.commit({".gitattributes": "* text eol=crlf ident\n"})
    git(workshop.root, "config", "core.autocrlf", "true")
    clone = workshop.prepared()
    assert (clone.path / "raw.txt").read_bytes() == content
    assert workshop.hand_in(clone) is None
    write(clone.path, {"new.txt": content})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert clone.vault.read(commit, "new.txt") == content
    assert clone.vault.read(commit, "raw.txt") == workshop.repository.read(base, "raw.txt")


def test_links_of_the_base_are_kept_in_clone_and_hand_in(workshop: Workshop) -> None:
    (workshop.root / "link").symlink_to("app/main.py")
    (workshop.root / "folder").symlink_to("app")
    git(workshop.root, "add", ".")
    git(workshop.root, "commit", "-m", "links")
    clone = workshop.prepared()
    assert (clone.path / "link").readlink() == Path("app/main.py")
    assert workshop.hand_in(clone) is None
    write(clone.path, {"other.py": "x\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert [c.path for c in clone.vault.changes(workshop.head, commit)] == ["other.py"]


def test_odd_trees_of_a_brain_can_be_handed_in(workshop: Workshop) -> None:
    base = workshop.commit({"d/one": "1\n", "d/two": "2\n", "f": "f\n"})
    clone = workshop.prepared()
    shutil.rmtree(clone.path / "d")
    (clone.path / "d").symlink_to("app")
    (clone.path / "f").unlink()
    write(clone.path, {"f/inner": "x\n", 'quote"\n.py': "x\n", "-n": "x\n", ":(top)x": "x\n", "#c": "x\n"})
    (clone.path / "b\udcff").write_text("not UTF-8\n")
    commit = workshop.hand_in(clone)
    assert commit is not None
    changed = {(c.path, c.status) for c in clone.vault.changes(base, commit)}
    assert changed == {
        *(("d", "A"), ("d/one", "D"), ("d/two", "D"), ("f", "D"), ("f/inner", "A")),
        *(('quote"\n.py', "A"), ("-n", "A"), (":(top)x", "A"), ("#c", "A"), ("b\udcff", "A")),
    }


def test_files_of_a_repository_inside_the_clone_are_handed_in_and_its_git_folder_is_reported(
    workshop: Workshop,
) -> None:
    clone = workshop.prepared()
    git(clone.path, "init", "--quiet", "inner")
    write(clone.path, {"inner/deep/a.py": "a\n", "app/.GIT": "gitdir: /etc\n", "x/git~1/hooks/h": "h\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert [c.path for c in clone.vault.changes(workshop.head, commit)] == ["inner/deep/a.py"]
    assert clone.left_out() == ("app/.GIT", "inner/.git", "x/git~1")


def test_parking_keeps_everything_and_leaves_the_clone_as_it_is(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "half\n", "notes.txt": "idea\n"})
    parked = clone.park("T-7", 2)
    assert parked is not None
    assert clone.vault.refs("refs/wip") == {"refs/wip/T-7/2": parked}
    assert clone.vault.read(parked, "notes.txt") == b"idea\n"
    assert (clone.path / "notes.txt").exists()
    assert clone.park("T-7", 2) == parked


def test_parking_other_work_under_the_same_name_keeps_the_earlier_work_too(workshop: Workshop) -> None:
    clone = workshop.prepared()
    found = []
    for text in ("one\n", "two\n", "three\n"):
        write(clone.path, {"notes.txt": text})
        found.append(clone.park("T-7", 1))
    refs = clone.vault.refs("refs/wip")
    assert refs == {
        "refs/wip/T-7/1": found[2],
        "refs/wip/T-7/1.1": found[0],
        "refs/wip/T-7/1.2": found[1],
    }


def test_preparing_again_keeps_work_that_nobody_parked(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"notes.txt": "idea\n"})
    clone.prepare(workshop.head)
    assert not (clone.path / "notes.txt").exists()
    (kept,) = clone.vault.refs("refs/wip/unclaimed").values()
    assert clone.vault.read(kept, "notes.txt") == b"idea\n"


def test_preparing_again_keeps_nothing_twice(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"notes.txt": "idea\n"})
    assert clone.unclaimed() == ("notes.txt",)
    clone.park("T-1", 1)
    assert clone.unclaimed() == ()
    clone.prepare(workshop.head)
    write(clone.path, {"app/main.py": "done\n"})
    workshop.hand_in(clone)
    assert clone.unclaimed() == ()
    write(clone.path, {"left.log": "by a check\n"})
    assert clone.unclaimed() == ("left.log",)
    (clone.path / "left.log").unlink()
    clone.prepare(workshop.head)
    assert set(clone.vault.refs("refs/wip")) == {"refs/wip/T-1/1"}


def test_a_clone_starts_from_work_that_only_the_vault_has(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"notes.txt": "idea\n"})
    parked = clone.park("T-1", 1)
    assert parked is not None
    clone.prepare(workshop.head)
    clone.prepare(parked)
    assert (clone.path / "notes.txt").read_text() == "idea\n"
    assert git(clone.path, "status", "--porcelain") == ""
    assert clone.park("T-1", 2) is None
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert [c.path for c in clone.vault.changes(workshop.head, commit)] == ["notes.txt"]


def test_ignored_files_survive_from_task_to_task_and_others_do_not(workshop: Workshop) -> None:
    workshop.commit({".gitignore": ".venv/\n"})
    clone = workshop.prepared()
    write(clone.path, {".venv/bin/python": "x", "left.txt": "x", "deep/left.txt": "x"})
    git(clone.path, "init", "--quiet", "inner")
    clone.prepare(workshop.head)
    assert sorted(path.name for path in clone.path.iterdir()) == [".git", ".gitignore", ".venv", "README.md", "app"]


def test_a_clone_moves_to_another_commit_over_anything_in_the_way(workshop: Workshop) -> None:
    first = workshop.commit({".gitignore": "lib\n"})
    git(workshop.root, "rm", "--quiet", ".gitignore")
    second = workshop.commit({"lib": "a file now\n", "app/main.py": "2\n"})
    clone = workshop.clone()
    clone.prepare(first)
    write(clone.path, {"lib/deep/ignored.txt": "in the way\n"})
    clone.prepare(second)
    assert (clone.path / "lib").read_text() == "a file now\n"
    assert (clone.path / "app/main.py").read_text() == "2\n"


def test_branches_of_the_brains_own_are_reported_and_set_aside_whole(workshop: Workshop) -> None:
    clone = workshop.prepared()
    assert clone.stray_refs() == ()
    git(clone.path, "branch", "secret-plan")
    git(clone.path, "tag", "v9")
    git(clone.path, "pack-refs", "--all")
    write(clone.path, {"app/main.py": "stash me\n"})
    git(clone.path, "stash")
    assert clone.stray_refs() == ("refs/heads/secret-plan", "refs/stash", "refs/tags/v9")
    clone.prepare(workshop.head)
    assert clone.stray_refs() == ()
    (aside,) = workshop.layout.kept("driver-1").iterdir()
    assert "secret-plan" in git(aside, "--git-dir=.", "branch", "--list")
    assert clone.vault.refs("refs/heads") == {}


def _lock_left_behind(clone: AgentClone) -> None:
    write(clone.checkout.git_dir, {"index.lock": "", "HEAD.lock": "", "refs/handin/T-1/1.lock": ""})


def _vault_half_made(clone: AgentClone) -> None:
    vault = clone.checkout.git_dir
    shutil.rmtree(vault)
    write(vault.with_name(f"{vault.name}.new"), {"HEAD": "ref: refs/heads/none\n", "objects/x": ""})


def _vault_half_removed(clone: AgentClone) -> None:
    (clone.checkout.git_dir / "HEAD").unlink()


def _clone_gone(clone: AgentClone) -> None:
    shutil.rmtree(clone.path)


def _git_folder_broken(clone: AgentClone) -> None:
    shutil.rmtree(clone.path / ".git")
    (clone.path / ".git").symlink_to("/")


def _git_folder_half_made(clone: AgentClone) -> None:
    shutil.rmtree(clone.path / ".git")
    made = clone.checkout.git_dir.with_name(f"{clone.checkout.git_dir.name}.dot")
    write(made, {"HEAD": "ref: refs/heads/x\n"})
    write(made.with_name(f"{made.name}.new"), {"HEAD": ""})


def _index_broken(clone: AgentClone) -> None:
    (clone.checkout.git_dir / "index").write_bytes(b"DIRC\0\0")


def _switch_interrupted(clone: AgentClone) -> None:
    (clone.checkout.git_dir / "callboard-switching").write_text("x")
    (clone.path / "README.md").unlink()


@pytest.mark.parametrize(
    "crash",
    [
        _lock_left_behind,
        _vault_half_made,
        _vault_half_removed,
        _clone_gone,
        _git_folder_broken,
        _git_folder_half_made,
        _index_broken,
        _switch_interrupted,
    ],
)
def test_whatever_a_crash_left_the_next_prepare_mends(workshop: Workshop, crash: Callable[[AgentClone], None]) -> None:
    crash(workshop.prepared())
    clone = workshop.prepared()
    assert git(clone.path, "status", "--porcelain") == ""
    assert (clone.path / "README.md").read_text() == "# App\n"
    write(clone.path, {"app/main.py": "after\n"})
    assert workshop.hand_in(clone) is not None
    assert not list(clone.checkout.git_dir.parent.glob("*.new"))
    assert not list(clone.checkout.git_dir.parent.glob("*.dot"))


@pytest.mark.parametrize("crash", [_clone_gone, _switch_interrupted, _git_folder_broken, _index_broken])
def test_a_crash_that_left_no_work_leaves_nothing_to_recover(
    workshop: Workshop, crash: Callable[[AgentClone], None]
) -> None:
    crash(workshop.prepared())
    assert workshop.prepared().vault.refs("refs/wip") == {}


def test_a_vault_that_is_mended_still_has_the_work_in_it(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"notes.txt": "idea\n"})
    parked = clone.park("T-1", 1)
    _vault_half_removed(clone)
    assert workshop.prepared().vault.refs("refs/wip") == {"refs/wip/T-1/1": parked}


def test_files_nobody_may_read_do_not_stop_a_hand_in(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"closed/file.txt": "x\n", "shut.txt": "y\n"})
    (clone.path / "shut.txt").chmod(0)
    (clone.path / "closed").chmod(0)
    commit = workshop.hand_in(clone)
    assert commit is not None
    assert clone.vault.read(commit, "shut.txt") == b"y\n"
    clone.prepare(workshop.head)
    assert not (clone.path / "closed").exists()


def test_a_start_that_nobody_has_is_refused_and_the_clone_stays(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"notes.txt": "idea\n"})
    with pytest.raises(WorkspaceError, match="neither in the repository nor in the vault"):
        clone.prepare("1" * 40)
    assert (clone.path / "notes.txt").exists()


def test_clones_work_from_a_shallow_repository_and_from_a_linked_worktree(tmp_path: Path) -> None:
    origin = make_workshop(tmp_path / "origin")
    origin.commit({"b.py": "b\n"})
    git(tmp_path, "clone", "--quiet", "--depth=1", origin.root.as_uri(), "shallow")
    git(origin.root, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    for folder in (tmp_path / "shallow", tmp_path / "linked"):
        workshop = Workshop(folder, type(origin.layout)(folder), type(origin.repository)(folder))
        clone = workshop.prepared()
        assert git(clone.path, "status", "--porcelain") == ""
        git(clone.path, "log")
        write(clone.path, {"b.py": "changed\n"})
        commit = workshop.hand_in(clone)
        assert commit is not None
        workshop.take_in(clone, commit)
        assert workshop.repository.resolve("refs/callboard/r1/tasks/T-1/1") == commit


def test_agents_have_clones_and_vaults_of_their_own(workshop: Workshop) -> None:
    one, two = workshop.prepared("driver-1"), workshop.prepared("driver-2")
    write(one.path, {"app/main.py": "one\n"})
    commit = one.hand_in(HANDIN, workshop.head, "m", DRIVER, NOON)
    assert commit is not None
    assert two.vault.resolve(commit) is None
    assert (two.path / "app/main.py").read_text() == "print('hello')\n"
