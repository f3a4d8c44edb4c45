from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from callboard.agents.workspace.git_output import (
    MergeResult,
    Person,
    TreeChange,
    read_batch,
    read_changes,
    read_merge,
    read_worktree_branches,
    signature,
)
from callboard.agents.workspace.git_runner import GitOutput, GitPlace, git_argv, git_environment
from callboard.agents.workspace.preflight import too_old


def test_changes_are_read_with_odd_paths() -> None:
    records = [":100644 100755 aa bb M", "a\tb\n", ":000000 120000 00 cc A", "x y"]
    assert list(read_changes(records)) == [
        TreeChange("a\tb\n", "100644", "100755", "aa", "bb", "M"),
        TreeChange("x y", "000000", "120000", "00", "cc", "A"),
    ]


def test_a_merge_names_each_conflict_once() -> None:
    assert read_merge(["tree", "a", "b", "a"]) == MergeResult("tree", ("a", "b"))
    assert read_merge(["tree"]) == MergeResult("tree", ())


def test_blobs_are_read_by_their_sizes_not_their_newlines() -> None:
    output = b"aa blob 4\n\n\nx\n\nbb missing\ncc blob 0\n\n"
    assert dict(read_batch(output)) == {"aa": b"\n\nx\n", "cc": b""}


def test_worktrees_without_a_branch_are_none() -> None:
    records = ["worktree /a", "HEAD 1", "branch refs/heads/x/y", "", "worktree /b", "HEAD 2", "detached", ""]
    assert read_worktree_branches(records) == {"x/y": "/a"}


def test_a_signature_is_in_utc_whatever_the_clock_says() -> None:
    person = Person("a", "a@b")
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    east = noon.astimezone(timezone(timedelta(hours=5)))
    assert signature(person, noon) == signature(person, east)
    assert signature(person, noon)["GIT_AUTHOR_DATE"] == "1767268800 +0000"


def test_git_gets_to_see_only_what_is_said_here() -> None:
    inherited = {"PATH": "/bin", "HOME": "/h", "GIT_DIR": "/evil", "GIT_SSH_COMMAND": "evil", "LD_PRELOAD": "evil.so"}
    env = git_environment(GitPlace(Path("/clone"), Path("/vault")), {"GIT_AUTHOR_NAME": "a"}, inherited)
    assert env["GIT_DIR"] == "/vault"
    assert env["GIT_WORK_TREE"] == "/clone"
    assert env["GIT_CONFIG_GLOBAL"] == "/dev/null"
    assert "evil" not in " ".join(env.values())
    assert "GIT_DIR" not in git_environment(GitPlace(Path("/project")), {}, inherited)


def test_every_command_switches_off_what_a_configuration_could_run() -> None:
    argv = git_argv(("status",), own_git_dir=False)
    for setting in ("core.hooksPath=/dev/null", "core.fsmonitor=false", "protocol.ext.allow=never", "gc.auto=0"):
        assert argv[argv.index(setting) - 1] == "-c"
    assert argv[0] == "git"
    assert argv[-1] == "status"
    assert "core.autocrlf=false" not in argv, "the user's own settings hold in the user's repository"
    assert "core.autocrlf=false" in git_argv(("status",), own_git_dir=True)


def test_an_old_git_is_named_with_what_is_needed() -> None:
    assert too_old("git version 2.38.0") is None
    assert too_old("git version 2.39.5 (Apple Git-154)") is None
    assert too_old("git version 3.0.0") is None
    assert too_old("git version 2.37.9") == "git version 2.37.9 is too old; install git 2.38 or newer"
    assert too_old("") is not None


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (
            "error: file write error: No space left on device\nfatal: unable to write loose object file\n",
            "error: file write error: No space left on device; fatal: unable to write loose object file",
        ),
        (
            " ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs to 'x'\n"
            "hint: Updates were rejected\nhint: See the 'Note about fast-forwards'\n",
            "! [rejected]        main -> main (fetch first); error: failed to push some refs to 'x'",
        ),
        ("warning: odd\nodd and more\nhint: try\n", "odd and more"),
        ("error: a\nerror: b\nerror: c\nerror: d\n", "error: a; error: b; error: c"),
        ("", "exit code 128"),
    ],
)
def test_why_git_failed_is_said_with_its_cause_and_without_hints(stderr: str, reason: str) -> None:
    assert GitOutput(128, b"", stderr).reason == reason
