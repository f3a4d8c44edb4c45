from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from workshop import DRIVER, NOON, Workshop, git, imprint, make_workshop, write

from callboard.agents.workspace.git import Repository, TreeChange
from callboard.agents.workspace.git_runner import GitPlace, run_git
from callboard.bus.errors import CommandKilled, GitError, WorkspaceError


def test_revisions_resolve_to_commits_and_short_names_are_branches_only(workshop: Workshop) -> None:
    head, other = workshop.head, workshop.commit({"x": "x"})
    git(workshop.root, "tag", "main", head)
    repository = workshop.repository
    assert repository.resolve("HEAD") == repository.resolve("main") == repository.resolve("refs/heads/main") == other
    assert repository.resolve("refs/tags/main") == head
    assert repository.resolve(head) == head
    assert repository.resolve("absent") is None
    assert repository.resolve(repository.tree_of(head)) is None


def test_changes_name_both_sides_and_never_a_rename(workshop: Workshop) -> None:
    base = workshop.head
    git(workshop.root, "mv", "README.md", "docs.md")
    (workshop.root / "app/main.py").chmod(0o755)
    git(workshop.root, "commit", "-qam", "move")
    found = workshop.repository.changes(base, workshop.head)
    blob = git(workshop.root, "rev-parse", "HEAD:docs.md")
    main = git(workshop.root, "rev-parse", "HEAD:app/main.py")
    none = "0" * 40
    assert found == (
        TreeChange("README.md", "100644", "000000", blob, none, "D"),
        TreeChange("app/main.py", "100644", "100755", main, main, "M"),
        TreeChange("docs.md", "000000", "100644", none, blob, "A"),
    )


def test_files_are_read_from_commits_and_trees_byte_by_byte(workshop: Workshop) -> None:
    commit = workshop.commit({"raw": b"\x00\r\n\xff", "a dir/b": "b"})
    assert workshop.repository.read(commit, ":(glob)*") is None
    repository = workshop.repository
    assert repository.read(commit, "raw") == b"\x00\r\n\xff"
    assert repository.read(repository.tree_of(commit), "a dir/b") == b"b"
    assert repository.read(commit, "a dir") is None
    assert repository.read(commit, "absent") is None
    entry = repository.entries(commit)["raw"]
    assert repository.sizes([entry.sha, "1" * 40]) == {entry.sha: 4}
    assert repository.read_blobs([entry.sha, "1" * 40]) == {entry.sha: b"\x00\r\n\xff"}


def test_a_repository_may_be_opened_in_a_folder_of_its_checkout(workshop: Workshop) -> None:
    inside = Repository(workshop.root / "app")
    assert inside.read(workshop.head, "README.md") == b"# App\n"
    assert inside.entries(workshop.head).keys() == {"README.md", "app/main.py"}
    assert inside.git_path("objects").resolve() == workshop.root / ".git/objects"


def test_a_folder_that_is_no_repository_is_an_error_not_an_absent_ref(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Repository(tmp_path).resolve("main")


def test_ancestors_and_first_parents(workshop: Workshop) -> None:
    repository, base = workshop.repository, workshop.head
    side = repository.commit_tree(repository.tree_of(base), [base], "side", DRIVER, NOON)
    merge = repository.commit_tree(repository.tree_of(base), [base, side], "merge", DRIVER, NOON)
    assert repository.is_ancestor(base, merge)
    assert repository.is_ancestor(base, base)
    assert not repository.is_ancestor(merge, base)
    assert [c.subject for c in repository.log_first_parent(merge)] == ["merge", "first"]
    assert [c.sha for c in repository.log_first_parent(merge, since=base)] == [merge]
    assert repository.commits(merge)[0].parents == (base, side)


def test_trailers_are_found_on_side_chains_too(workshop: Workshop) -> None:
    repository, base = workshop.repository, workshop.head
    tree = repository.tree_of(base)
    message = "Do it\n\nTask-Key: driver-1/a\nTask-Digest: 00ff\n"
    side = repository.commit_tree(tree, [base], message, DRIVER, NOON)
    merge = repository.commit_tree(tree, [base, side], "merge", DRIVER, NOON)
    (found,) = repository.trailers(merge, ["Task-Key", "Task-Digest", "Other"])
    assert found.sha == side
    assert found.trailers == {"Task-Key": ("driver-1/a",), "Task-Digest": ("00ff",)}
    assert repository.trailers(merge, ["Task-Key"], since=side) == ()


def test_a_commit_with_the_same_content_and_dates_is_the_same_object(workshop: Workshop) -> None:
    repository, tree = workshop.repository, workshop.repository.tree_of(workshop.head)
    one, two, later = (
        repository.commit_tree(tree, [workshop.head], "m", DRIVER, at)
        for at in (NOON, NOON, NOON + timedelta(seconds=1))
    )
    assert one == two != later


def test_a_ref_moves_only_from_where_it_was_expected(workshop: Workshop) -> None:
    repository, one = workshop.repository, workshop.head
    two = workshop.commit({"x": "x"})
    assert repository.update_ref("refs/heads/callboard/r1", one, None)
    assert not repository.update_ref("refs/heads/callboard/r1", two, None)
    assert not repository.update_ref("refs/heads/callboard/r1", one, two)
    assert repository.update_ref("refs/heads/callboard/r1", two, one)
    assert repository.refs("refs/heads/callboard") == {"refs/heads/callboard/r1": two}
    assert not repository.delete_ref("refs/heads/callboard/r1", one)
    assert repository.delete_ref("refs/heads/callboard/r1", two)
    assert repository.refs("refs/heads/callboard") == {}


def test_a_ref_that_cannot_be_written_is_an_error_not_a_lost_race(workshop: Workshop) -> None:
    with pytest.raises(GitError, match="main/x"):
        workshop.repository.update_ref("refs/heads/main/x", workshop.head, None)


def test_a_ref_lock_that_a_killed_git_left_is_cleared_only_where_it_is_ours(workshop: Workshop) -> None:
    repository, refs = workshop.repository, workshop.root / ".git/refs"
    write(refs, {"heads/callboard/r1.lock": "", "callboard/r1/x/y.lock": "", "heads/main.lock": ""})
    with pytest.raises(GitError, match="lock"):
        repository.update_ref("refs/heads/callboard/r1", workshop.head, None)
    cleared = repository.clear_ref_locks(["refs/heads/callboard", "refs/callboard/r1"])
    assert sorted(cleared) == sorted([refs / "heads/callboard/r1.lock", refs / "callboard/r1/x/y.lock"])
    assert repository.update_ref("refs/heads/callboard/r1", workshop.head, None)
    assert (refs / "heads/main.lock").exists()


def test_a_tag_is_written_once_and_never_moved(workshop: Workshop) -> None:
    one, two = workshop.head, workshop.commit({"x": "x"})
    workshop.repository.tag("callboard/r1/main/T-1", one)
    workshop.repository.tag("callboard/r1/main/T-1", one)
    with pytest.raises(WorkspaceError, match="another commit"):
        workshop.repository.tag("callboard/r1/main/T-1", two)


def test_merges_are_objects_only_and_name_their_conflicts(workshop: Workshop) -> None:
    repository, base = workshop.repository, workshop.head
    git(workshop.root, "checkout", "-qb", "other")
    theirs = workshop.commit({"app/main.py": "theirs\n", "new file": "x\n"})
    git(workshop.root, "checkout", "-q", "main")
    harmless = workshop.commit({"README.md": "# Better\n"})
    clean = repository.merge_tree(harmless, theirs)
    assert clean.conflicts == ()
    assert repository.read(clean.tree, "README.md") == b"# Better\n"
    assert repository.read(clean.tree, "app/main.py") == b"theirs\n"
    ours = workshop.commit({"app/main.py": "ours\n"})
    assert repository.merge_tree(ours, theirs).conflicts == ("app/main.py",)
    assert repository.merge_tree(ours, base).tree == repository.tree_of(ours)


def test_a_new_file_stays_in_its_folder_although_the_other_side_renamed_the_folder(workshop: Workshop) -> None:
    git(workshop.root, "checkout", "-qb", "other")
    theirs = workshop.commit({"app/added.py": "x\n"})
    git(workshop.root, "checkout", "-q", "main")
    git(workshop.root, "mv", "app", "lib")
    git(workshop.root, "commit", "-qm", "move")
    git(workshop.root, "config", "merge.directoryRenames", "true")
    merged = workshop.repository.merge_tree(workshop.head, theirs)
    assert {"app/added.py", "lib/main.py"} <= workshop.repository.entries(merged.tree).keys()
    plain = git(workshop.root, "merge-tree", "--write-tree", "main", theirs).splitlines()[0]
    assert "lib/added.py" in git(workshop.root, "ls-tree", "-r", plain), "the wall off"


def test_files_are_committed_to_a_branch_without_a_checkout(workshop: Workshop) -> None:
    repository = workshop.repository
    files = {"feedback/driver-1.md": b"one\r\n", "verdicts/T-1.json": b"{}"}
    one = repository.commit_files("driver-1/log", files, "Log", DRIVER, NOON)
    same = repository.commit_files("driver-1/log", files, "Log", DRIVER, NOON + timedelta(hours=1))
    assert one == same == repository.resolve("driver-1/log")
    two = repository.commit_files("driver-1/log", {"feedback/driver-1.md": b"two"}, "Log", DRIVER, NOON)
    (made,) = repository.commits(two, since=one)
    assert made.parents == (one,)
    assert repository.read(two, "verdicts/T-1.json") == b"{}"
    assert repository.read(one, "feedback/driver-1.md") == b"one\r\n"
    assert repository.entries(one).keys() == files.keys()


def test_exactly_one_commit_is_fetched_and_nothing_else_appears(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "x\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    write(clone.path, {"app/main.py": "y\n"})
    other = clone.park("T-9", 1)
    assert other is not None
    clone.vault.tag("v1", commit)
    workshop.repository.fetch_commit(clone.checkout.git_dir, "refs/handin/T-1/1", commit, "refs/callboard/r1/x")
    workshop.repository.fetch_commit(clone.checkout.git_dir, "refs/handin/T-1/1", commit, "refs/callboard/r1/x")
    assert workshop.repository.refs("refs/callboard") == {"refs/callboard/r1/x": commit}
    assert workshop.repository.resolve(other) is None
    assert git(workshop.root, "tag", "--list") == ""


def test_a_fetch_wants_the_commit_that_the_ref_still_names(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "x\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    for ref, sha in (("refs/handin/T-1/1", workshop.head), ("refs/handin/absent", commit)):
        with pytest.raises(WorkspaceError, match="nothing was fetched"):
            workshop.repository.fetch_commit(clone.checkout.git_dir, ref, sha, "refs/callboard/r1/x")
    assert workshop.repository.refs("refs/callboard") == {}


def test_fetching_prunes_nothing_whatever_the_user_has_configured(workshop: Workshop) -> None:
    for key, value in (("fetch.prune", "true"), ("fetch.pruneTags", "true"), ("fetch.writeCommitGraph", "true")):
        git(workshop.root, "config", key, value)
    git(workshop.root, "update-ref", "refs/callboard/r1/old", workshop.head)
    git(workshop.root, "tag", "v1")
    clone = workshop.prepared()
    write(clone.path, {"app/main.py": "x\n"})
    commit = workshop.hand_in(clone)
    assert commit is not None
    workshop.take_in(clone, commit)
    assert "refs/callboard/r1/old" in workshop.repository.refs("refs/callboard")
    assert git(workshop.root, "tag", "--list") == "v1"


def test_worktrees_say_which_branches_are_checked_out(workshop: Workshop, tmp_path: Path) -> None:
    git(workshop.root, "worktree", "add", "-q", "-b", "feature/x", str(tmp_path / "a b"))
    assert workshop.repository.checked_out() == {"main": workshop.root, "feature/x": tmp_path / "a b"}
    assert Repository(tmp_path / "a b").git_path("objects").resolve() == workshop.root / ".git/objects"


def test_a_dirty_checkout_is_seen_without_touching_its_index(workshop: Workshop) -> None:
    assert not workshop.repository.is_dirty()
    write(workshop.root, {"notes.txt": "x"})
    assert not workshop.repository.is_dirty()
    assert workshop.repository.uncommitted() == ("notes.txt",)
    os.utime(workshop.root / "README.md", (0, 0))
    before = imprint(workshop.root)
    assert not workshop.repository.is_dirty()
    assert imprint(workshop.root) == before
    write(workshop.root, {"README.md": "x"})
    assert workshop.repository.is_dirty()


def test_a_fast_forward_moves_a_clean_checkout_and_loses_nobodys_change(workshop: Workshop) -> None:
    repository, base = workshop.repository, workshop.head
    tree = repository.commit_files("next", {"app/main.py": b"next\n", "added": b"x\n"}, "n", DRIVER, NOON)
    new = repository.commit_tree(repository.tree_of(tree), [base], "next", DRIVER, NOON)
    write(workshop.root, {"added": "mine\n"})
    with pytest.raises(GitError):
        repository.fast_forward(new)
    assert (workshop.head, (workshop.root / "added").read_text()) == (base, "mine\n")
    (workshop.root / "added").unlink()
    repository.fast_forward(new)
    assert workshop.head == new
    assert (workshop.root / "app/main.py").read_text() == "next\n"
    assert git(workshop.root, "status", "--porcelain") == ""


def test_nothing_of_the_callers_git_environment_reaches_git(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_workshop(tmp_path / "other", {"other.txt": "another commit\n"})
    head = workshop.head
    hooks = tmp_path / "hooks"
    git(workshop.root, "config", "core.hooksPath", str(hooks))
    write(hooks, {"reference-transaction": f"#!/bin/sh\ntouch {tmp_path}/ran\n"})
    (hooks / "reference-transaction").chmod(0o755)
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(hooks))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody else")
    assert workshop.repository.resolve("HEAD") == head
    commit = workshop.repository.commit_files("driver-1/log", {"x": b"x"}, "m", DRIVER, NOON)
    assert b"Somebody else" not in run_git(workshop.repository.place, ("cat-file", "commit", commit)).stdout
    assert not (tmp_path / "ran").exists()
    monkeypatch.delenv("GIT_DIR")
    git(workshop.root, "update-ref", "refs/heads/plain", head)
    assert (tmp_path / "ran").exists(), "the wall off: plain git runs the hook"


def test_a_file_system_monitor_of_the_users_is_not_started(workshop: Workshop, tmp_path: Path) -> None:
    write(tmp_path, {"monitor": f"#!/bin/sh\ntouch {tmp_path}/ran\n"})
    (tmp_path / "monitor").chmod(0o755)
    git(workshop.root, "config", "core.fsmonitor", str(tmp_path / "monitor"))
    assert not workshop.repository.is_dirty()
    assert not (tmp_path / "ran").exists()
    git(workshop.root, "status")
    assert (tmp_path / "ran").exists(), "the wall off"


def test_a_repository_that_belongs_to_somebody_else_works(workshop: Workshop) -> None:
    if os.geteuid() != 0:
        return  # only root can give files away
    for path in [workshop.root, *workshop.root.rglob("*")]:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    clone = workshop.clone()
    head = workshop.repository.resolve("HEAD")
    assert head is not None
    clone.prepare(head)
    for path in [clone.checkout.git_dir, *clone.checkout.git_dir.rglob("*")]:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    write(clone.path, {"app/main.py": "x\n"})
    commit = clone.hand_in("refs/handin/T-1/1", head, "m", DRIVER, NOON)
    assert commit is not None
    workshop.take_in(clone, commit, base=head)


def test_a_failing_command_says_what_was_run_where_and_what_git_said(workshop: Workshop) -> None:
    with pytest.raises(GitError, match=r"`git cat-file` failed in .*project: .*does not exist") as caught:
        workshop.repository.run("cat-file", "blob", "1" * 40 + ":x")
    assert caught.value.exit_code_of_git == 128
    assert "cat-file" in caught.value.argv


def test_a_machine_without_git_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="install git"):
        run_git(GitPlace(tmp_path), ("version",))


def test_a_git_that_a_signal_ended_is_no_answer_about_the_repository(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nkill -TERM $$\n")
    (tmp_path / "git").chmod(0o755)
    place = GitPlace(workshop.root)
    with pytest.raises(CommandKilled, match=r"`git status` was ended by signal 15"):
        run_git(place, ["status"], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
