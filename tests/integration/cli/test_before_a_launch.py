"""Commands where nothing was launched yet, or nothing is a workspace at all: real processes, each a clear sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import forked
import pytest
from roster import Workspace, run_git
from workshop import imprint

from callboard.agents.brains.cli.adapters import ADAPTERS

NOBODY = {"HOME": "/nonexistent", **{key: "" for adapter in ADAPTERS.values() for key in adapter.keys}}
"""No keys and no logins, whoever runs the tests."""


def callboard(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return forked.callboard(folder, *args, env={**os.environ, **NOBODY, **env})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    folder.mkdir()
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "README").write_text("hello\n")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "--message=first")
    return folder


def test_version_is_said(tmp_path: Path) -> None:
    """That it costs next to nothing is seen in tests/integration/cli/test_quick_looks.py."""
    argv = [sys.executable, "-m", "callboard", "version"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.startswith("callboard ")
    assert json.loads(callboard(tmp_path, "version", "--json").stdout)["python"].startswith("3.")


def test_without_a_command_the_commands_are_listed(tmp_path: Path) -> None:
    done = callboard(tmp_path)
    assert done.returncode == 0
    for command in ("init", "launch", "status", "assign", "feedback", "recover", "doctor"):
        assert f" {command} " in done.stdout


@pytest.mark.parametrize(
    "args", [("nope",), ("assign",), ("launch", "--nope"), ("assign", "a", "b", "--priority", "9")]
)
def test_a_command_line_that_cannot_be_read_is_one_sentence_and_2(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = callboard(tmp_path, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "--help" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "args",
    [
        ("launch",),
        ("status",),
        ("assign", "driver-1", "x"),
        ("recover",),
        ("dead", "list"),
        ("init",),
    ],
)
def test_outside_of_a_repository_every_command_says_so_in_both_ways(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = callboard(tmp_path, *args, "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["exit_code"], error["type"]) == (1, 1, "RosterError")
    assert "not in a git repository" in error["message"]
    assert done.stderr == f"error: {error['message']}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_repository_that_is_no_workspace_is_told_of_init(repository: Path) -> None:
    done = callboard(repository, "status")
    assert (done.returncode, "callboard init" in done.stderr) == (2, True)


def test_a_mistake_in_the_settings_comes_with_its_line_and_what_was_meant(workspace: Workspace) -> None:
    path = workspace.path / "callboard.toml"
    path.write_text(path.read_text().replace("gate =", "gaet =", 1))
    done = callboard(workspace.path, "launch", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["line"], error["key"]) == (2, 2, "project.gaet")
    assert "did you mean gate" in error["message"]
    assert not (workspace.path / ".callboard").exists()


def test_init_writes_its_three_files_and_touches_nothing_else(repository: Path) -> None:
    before = imprint(repository)
    told = json.loads(callboard(repository, "init", "--json").stdout)
    assert told["written"] == ["callboard.toml", "directions/driver-1.md", "directions/driver-2.md"]
    after = imprint(repository)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {*told["written"], "directions"}


def test_init_from_a_folder_below_makes_the_whole_repository_a_workspace(repository: Path) -> None:
    (repository / "src").mkdir()
    callboard(repository / "src", "init")
    assert (repository / "callboard.toml").exists()
    assert list((repository / "src").iterdir()) == []


def test_init_chooses_other_places_where_something_is_in_the_way_and_says_so(repository: Path) -> None:
    (repository / "roles").mkdir()
    (repository / "roles" / "site.yml").write_text("")
    run_git(repository, "branch", "driver-2")
    done = callboard(repository, "init")
    settings = tomllib.loads((repository / "callboard.toml").read_text())
    assert settings["paths"]["roles"] == "callboard-roles"
    assert (repository / "directions/cb-driver-2.md").exists()
    assert "roles/ holds something else" in done.stdout
    assert "driver-2/work impossible" in done.stdout


def test_init_twice_changes_nothing_the_second_time(repository: Path) -> None:
    callboard(repository, "init")
    before = imprint(repository)
    done = callboard(repository, "init")
    assert (done.returncode, imprint(repository)) == (0, before)
    assert "kept  callboard.toml" in done.stdout


def test_what_init_wrote_passes_the_doctor_but_for_what_it_left_to_people(repository: Path) -> None:
    callboard(repository, "init")
    told = json.loads(callboard(repository, "doctor", "--json").stdout)
    failed = [check["text"] for check in told["checks"] if check["state"] == "fail"]
    assert len(failed) == 6
    assert "no gate" in failed[0]
    assert all("still empty" in text for text in failed[1:])


def test_the_doctor_says_what_is_there_and_what_the_sandbox_enforces(workspace: Workspace) -> None:
    done = callboard(workspace.path, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0
    assert (checks["server"]["state"], checks["sandbox"]["state"]) == ("ok", "ok")
    assert "write only to their own folder and scratch, no network" in checks["sandbox"]["text"]
    assert "driver-1" in checks
    assert (workspace.path / ".callboard").exists()
    assert run_git(workspace.path, "status", "--porcelain") == "", "what it leaves is no untracked file"


def test_the_doctor_finds_a_program_that_is_missing(workspace: Workspace) -> None:
    path = workspace.path / "callboard.toml"
    path.write_text(path.read_text().replace(sys.executable, "no-such-brain", 1))
    done = callboard(workspace.path, "doctor", "--json")
    found = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "driver-1"]
    assert done.returncode == 1
    assert (found[0]["state"], "no-such-brain is not on PATH" in found[0]["text"]) == ("fail", True)


def test_the_doctor_works_where_nothing_else_does(tmp_path: Path) -> None:
    done = callboard(tmp_path, "doctor")
    assert done.returncode == 1
    assert "not in a git repository" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_doctor_asks_a_server_of_yours_how_it_keeps_things(workspace: Workspace, server_url: str) -> None:
    told = json.loads(callboard(workspace.path, "doctor", "--json", CALLBOARD_BUS_URL=server_url).stdout)
    found = {check["name"]: check for check in told["checks"]}
    assert (found["server"]["state"], "appendonly no" in found["server"]["text"]) == ("ok", True)
    assert found["server"]["facts"].items() >= {"product": "valkey", "append_only": "no", "is_tls": False}.items()
    assert (found["on kill -9"]["state"], found["on kill -9"]["facts"]["lost"]) == ("warn", "everything")
    assert [name for name in found if name.startswith("on ")] == [
        "on kill -9",
        "on OS crash",
        "on machine lost",
        "on memory full",
    ]


def test_a_server_that_does_not_answer_fails_the_doctor(workspace: Workspace, tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/nobody.sock"
    told = json.loads(callboard(workspace.path, "doctor", "--json", CALLBOARD_BUS_URL=url).stdout)
    (server,) = [check for check in told["checks"] if check["name"] == "server"]
    assert server["state"] == "fail"


def test_before_the_first_launch_the_status_is_empty_and_3(workspace: Workspace) -> None:
    done = workspace.call("status", "--json")
    assert (done.returncode, json.loads(done.stdout)["run"]) == (3, None)
    assert "callboard launch" in workspace.call("status").stdout
    assert not (workspace.path / ".callboard").exists()


def test_before_the_first_launch_there_are_no_runs_nothing_to_stop_and_nothing_to_tell(workspace: Workspace) -> None:
    assert json.loads(workspace.call("runs", "--json").stdout) == []
    assert workspace.call("stop").returncode == 3
    assigned = workspace.call("assign", "driver-1", "More")
    assert (assigned.returncode, "callboard launch" in assigned.stderr) == (1, True)


def test_a_dry_run_says_what_would_be_assigned_and_makes_nothing(workspace: Workspace) -> None:
    before = imprint(workspace.path)
    told = workspace.json("launch", "--dry-run", "--goal", "Bread", "--safety", "safety_critical")
    assert (told["goal"], told["safety"]) == ("Bread", "safety_critical")
    assert imprint(workspace.path) == before
    assert told["continues"] is None
    agents = told["agents"]
    assert isinstance(agents, dict)
    assert {agent: [task["title"] for task in tasks] for agent, tasks in agents.items()} == {
        "driver-1": ["Write a"],
        "driver-2": ["Write b"],
    }


def test_a_dry_run_refuses_what_a_launch_would_refuse(workspace: Workspace) -> None:
    run_git(workspace.path, "branch", "driver-1")
    done = workspace.call("launch", "--dry-run")
    assert (done.returncode, "driver-1/work impossible" in done.stderr) == (1, True)


def test_a_reader_who_has_enough_ends_a_command_without_a_word(workspace: Workspace) -> None:
    argv = f"{sys.executable} -m callboard --help | true"
    done = subprocess.run(["bash", "-c", argv], cwd=workspace.path, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_ctrl_c_ends_a_command_with_130_and_no_traceback(workspace: Workspace) -> None:
    log = workspace.path / ".callboard/logs/manager.log"
    log.parent.mkdir(parents=True)
    log.write_text("hello\n")
    argv = [sys.executable, "-m", "callboard", "logs", "manager", "--follow"]
    # a shell that runs the tests in the background has them ignore SIGINT, and what they start inherits that
    with subprocess.Popen(
        argv,
        cwd=workspace.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hello\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=300)
    assert (process.returncode, "Traceback" in said) == (130, False)
