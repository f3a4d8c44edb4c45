"""What the commands before a launch say about agent CLIs."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from pathlib import Path

import forked
import pytest
from cli_jobs import install
from roster import Workspace, run_git


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with `bin`, where claude is installed, and an empty `home`."""
    (tmp_path / "home").mkdir()
    install(tmp_path / "bin", "claude", "print('2.1.197 (Claude Code)')")
    return tmp_path


def callboard(place: Path, folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """With no key, login or agent CLI but those of the place."""
    known = {name: os.environ[name] for name in ("LANG", "VIRTUAL_ENV") if name in os.environ}
    path = f"{place / 'bin'}:/usr/bin:/bin"
    return forked.callboard(folder, *args, env={**known, "PATH": path, "HOME": str(place / "home"), **env})


def checks(place: Path, folder: Path, **env: str) -> dict[str, tuple[str, str]]:
    told = json.loads(callboard(place, folder, "doctor", "--json", **env).stdout)
    return {check["name"]: (check["state"], check["text"]) for check in told["checks"]}


def use(workspace: Workspace, keys: str) -> None:
    """Give driver-1 a CLI."""
    path = workspace.path / "callboard.toml"
    lines = path.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("command = "))
    path.write_text("\n".join([*lines[:at], keys, *lines[at + 1 :]]))


def test_the_doctor_says_which_clis_are_installed_and_their_versions(place: Path, workspace: Workspace) -> None:
    install(place / "bin", "codex", "raise SystemExit(3)")
    state, text = checks(place, workspace.path)["agent CLIs"]
    assert state == "ok"
    assert f"claude 2.1.197 (Claude Code) ({place}/bin/claude)" in text
    assert "codex does not say its version: exit code 3" in text


def test_the_doctor_says_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert "none of claude, codex, opencode, qwen, aider" in checks(tmp_path, tmp_path)["agent CLIs"][1]


def test_the_doctor_looks_for_a_key_or_a_login_of_an_agents_cli(place: Path, workspace: Workspace) -> None:
    use(workspace, 'cli = "claude"\ncli_model = "opus"\npass_env = ["ANTHROPIC_*"]')
    state, text = checks(place, workspace.path)["driver-1"]
    assert state == "warn"
    assert "set ANTHROPIC_API_KEY or" in text
    keyed = checks(place, workspace.path, ANTHROPIC_API_KEY="sk-secret")["driver-1"]
    assert keyed == ("ok", "runs claude with opus, key in ANTHROPIC_API_KEY")
    (place / "home/.claude").mkdir()
    (place / "home/.claude/.credentials.json").write_text("{}")
    assert checks(place, workspace.path)["driver-1"] == (
        "ok",
        "runs claude with opus, login of ~/.claude/.credentials.json",
    )


def test_the_doctor_fails_where_an_agents_cli_is_not_installed(place: Path, workspace: Workspace) -> None:
    use(workspace, 'cli = "qwen"')
    assert checks(place, workspace.path)["driver-1"] == (
        "fail",
        "runs qwen, which is not on PATH: npm install -g @qwen-code/qwen-code",
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    folder.mkdir()
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "Makefile").write_text("test:\n\ttrue\n")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "--message=first")
    return folder


def agents(repository: Path) -> dict[str, dict[str, object]]:
    return {agent["name"]: agent for agent in tomllib.loads((repository / "callboard.toml").read_text())["agents"]}


def test_init_writes_a_roster_that_works_with_what_is_here(place: Path, repository: Path) -> None:
    (place / "home/.claude").mkdir()
    (place / "home/.claude/.credentials.json").write_text("{}")
    told = json.loads(callboard(place, repository, "init", "--json", OPENAI_API_KEY="sk-secret").stdout)
    brains = agents(repository)
    assert brains["driver-1"]["cli"] == "claude"
    assert "pass_env" not in brains["driver-1"]
    assert brains["driver-2"]["model"] == "gpt"
    assert "sk-secret" not in (repository / "callboard.toml").read_text()
    assert any("thinks with what was found here: driver-1: cli = " in note for note in told["notes"])
    states = {name: state for name, (state, _) in checks(place, repository, OPENAI_API_KEY="sk-secret").items()}
    assert "fail" not in states.values()


def test_init_passes_a_key_to_a_cli_that_has_no_login(place: Path, repository: Path) -> None:
    install(place / "bin", "qwen", "print('0.15')")
    server = "http://127.0.0.1:1"
    callboard(place, repository, "init", ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server, OPENAI_API_KEY="o")
    brains = agents(repository)
    assert brains["driver-1"]["pass_env"] == ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"]
    assert brains["driver-2"]["model"] == "claude", "a key of OpenAI's alone is none for qwen"


def test_init_says_what_to_do_where_there_is_no_key_and_no_login(place: Path, repository: Path) -> None:
    told = json.loads(callboard(place, repository, "init", "--json").stdout)
    assert {agent.get("command") for agent in agents(repository).values()} == {None, ""}
    assert "no model's key (ANTHROPIC_API_KEY" in told["next"][0]
    assert "`command`, any program, which needs neither" in told["next"][0]


def test_init_leaves_commands_to_fill_in_when_that_is_asked_for(place: Path, repository: Path) -> None:
    callboard(place, repository, "init", "--commands", ANTHROPIC_API_KEY="k")
    assert {agent.get("command") for agent in agents(repository).values()} == {None, ""}
