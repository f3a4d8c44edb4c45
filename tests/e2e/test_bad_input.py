"""What cannot work is said in a sentence with the way out; nothing is lost or half-made."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from forked import callboard
from roster import Workspace, run_git, task

Make = Callable[..., Workspace]
Spoil = Callable[[Workspace], object]

DIRECTIONS = {"driver-1": task("1 - Write a", Writes="a.txt")}


def add_to_config(text: str) -> Spoil:
    return lambda made: (made.path / "callboard.toml").open("a").write(text)


def replace_in_config(old: str, new: str) -> Spoil:
    def spoil(made: Workspace) -> None:
        path = made.path / "callboard.toml"
        path.write_text(path.read_text().replace(old, new, 1))

    return spoil


def commit_file(name: str, text: str) -> Spoil:
    def spoil(made: Workspace) -> None:
        made.write({name: text})
        run_git(made.path, "add", "--all")
        run_git(made.path, "commit", "--quiet", "--message=Spoil")

    return spoil


def add_submodule(made: Workspace) -> None:
    head = run_git(made.path, "rev-parse", "HEAD")
    run_git(made.path, "update-index", "--add", "--cacheinfo", f"160000,{head},module")
    run_git(made.path, "commit", "--quiet", "--message=Add a module")


NOBODY = 1
"""A port that only root could listen at, and nobody does."""
CASES: dict[str, tuple[Spoil, int, tuple[str, ...]]] = {
    "an unknown key": (add_to_config("\n[projct]\nx = 1\n"), 2, ("callboard.toml:", "projct", "project")),
    "no TOML": (add_to_config("\n[[agents\n"), 2, ("callboard.toml:", "not TOML")),
    "no gate": (replace_in_config('gate = ["test -e README"]', "gate = []"), 2, ("no gate", "give project.gate")),
    "two reviewers": (replace_in_config('role = "reviewer"', 'role = "driver"'), 2, ("callboard.toml:", "seat")),
    "a branch in the way": (
        lambda made: run_git(made.path, "branch", "driver-1"),
        1,
        ("branch driver-1 makes driver-1/work impossible", "rename it"),
    ),
    "LFS": (commit_file(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n"), 1, (".gitattributes", "lfs")),
    "submodules": (add_submodule, 1, ("submodules (module)", "launch in a repository without them")),
    "no target branch": (
        lambda made: run_git(made.path, "branch", "--move", "main", "trunk"),
        1,
        ("there is no branch main", "`[project] target`"),
    ),
    "no server at that address": (
        add_to_config(f'\n[bus]\nurl = "redis://127.0.0.1:{NOBODY}"\n'),
        1,
        ("127.0.0.1",),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.long
def test_a_launch_that_cannot_work_says_so_and_makes_nothing(workspace: Make, case: str) -> None:
    spoil, exit_code, words = CASES[case]
    made = workspace()
    made.init(DIRECTIONS)
    spoil(made)
    refs = run_git(made.path, "for-each-ref")
    code, output = made.launch()
    assert code == exit_code, output
    for word in words:
        assert word in output
    assert "Traceback" not in output
    assert run_git(made.path, "for-each-ref") == refs
    assert not (made.path / ".callboard/bus").exists()
    assert made.processes() == []


def test_outside_a_repository_the_way_in_is_named(tmp_path: Path) -> None:
    said = callboard(tmp_path, "launch")
    assert said.returncode == 1
    assert "git init" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet")
    said = callboard(tmp_path, "launch")
    assert said.returncode == 1
    assert "no commit yet" in said.stderr


def test_an_old_git_is_named_with_the_version_that_is_needed(workspace: Make, tmp_path: Path) -> None:
    made = workspace()
    made.init(DIRECTIONS)
    old = tmp_path / "old"
    old.mkdir()
    (old / "git").write_text("#!/bin/sh\necho git version 2.30.1\n")
    (old / "git").chmod(0o755)
    env = {**os.environ, "PATH": f"{old}:{os.environ['PATH']}"}
    said = callboard(made.path, "launch", env=env)
    assert said.returncode == 1
    assert "git version 2.30.1 is too old; install git 2.38 or newer" in said.stderr


def test_a_server_that_lacks_what_the_bus_needs_is_named(workspace: Make) -> None:
    """A server that speaks the protocol but knows no command: an error to everything."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    program = (
        "import socket,sys,threading\n"
        "s=socket.socket(fileno=int(sys.argv[1]))\n"
        "def talk(c):\n"
        "    while c.recv(65536): c.sendall(b'-ERR unknown command\\r\\n')\n"
        "while True: threading.Thread(target=talk,args=(s.accept()[0],),daemon=True).start()\n"
    )
    fd = listening.fileno()
    fake = subprocess.Popen([sys.executable, "-c", program, str(fd)], pass_fds=(fd,))
    try:
        made = workspace(extra=f'[bus]\nurl = "redis://127.0.0.1:{port}"')
        made.init(DIRECTIONS)
        code, output = made.launch()
        assert code == 1, output
        assert f"127.0.0.1:{port}" in output
        assert "Traceback" not in output
    finally:
        fake.kill()
        fake.wait()
        listening.close()


@pytest.mark.long
def test_a_broken_direction_file_is_reported_and_the_others_still_work(workspace: Make) -> None:
    made = workspace()
    made.init({**DIRECTIONS, "driver-2": "### Task 1 - Same\n\n### Task 2 - Same\n**Priority**: soon\n"})
    (made.path / "directions/driver-2.md").chmod(0)
    checked = made.call("directions", "check", "directions/driver-1.md", "directions/driver-2.md")
    assert "driver-2.md" in checked.stdout + checked.stderr
    (made.path / "directions/driver-2.md").write_bytes(b"---\nepoch: [\n---\n\xff\xfe ### Task 1 - X\n")
    code, output = made.launch()
    assert code == 0, output
    assert "a.txt" in made.files(made.integration())
    log = (made.path / "feedback/manager.md").read_text()
    assert "directions/driver-2.md:" in log


def test_an_unknown_agent_is_named_with_those_there_are(workspace: Make) -> None:
    made = workspace()
    made.init(DIRECTIONS)
    code, output = made.launch("--only", "drivr-1")
    assert code != 0
    assert "drivr-1" in output
    assert "driver-1" in output


@pytest.mark.long
def test_the_integration_branch_that_is_checked_out_is_not_moved_until_it_is_free(workspace: Make) -> None:
    made = workspace()
    made.init({"driver-1": DIRECTIONS["driver-1"] + task("2 - Ask", Blocks="which?", Writes="b.txt")})
    assert made.launch()[0] == 4
    branch = made.integration()
    run_git(made.path, "checkout", "--quiet", branch.removeprefix("refs/heads/"))
    code, output = made.launch()
    assert code == 1
    assert "is checked out in" in output
    run_git(made.path, "checkout", "--quiet", "main")
    assert made.call("answer", "q-1", "the second").returncode == 0
    assert made.launch()[0] == 0


@pytest.mark.long
def test_what_was_made_is_for_this_user_alone(workspace: Make) -> None:
    made = workspace()
    made.init(DIRECTIONS)
    assert made.launch()[0] == 0
    assert stat.S_IMODE((made.path / ".callboard/bus").stat().st_mode) == 0o700
