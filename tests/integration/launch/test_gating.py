"""The gate by hand, without a roster: the verdict, the commands and the slot, with real processes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from roster import Workspace as Made
from roster import run_git, task

from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace
from callboard.bus.errors import RosterError
from callboard.bus.hand_messages import GateFinished, GateProfile
from callboard.bus.task import CommandResult
from callboard.cli.gate import exit_code, row
from callboard.launch.gating import run_gate


def opened(tmp_path: Path, *gate: str, strict: str = "", kind: str = "off") -> Workspace:
    made = Made(tmp_path / "project", gate=gate, extra=f"gate_strict = ['{strict}']" if strict else "")
    made.init({"driver-1": task("1 - One")})
    with (made.path / "callboard.toml").open("a") as file:
        file.write(f'\n[sandbox]\nkind = "{kind}"\n')
    return Workspace.open(made.path, os.environ)


def judged(workspace: Workspace, profile: GateProfile | None = None) -> tuple[GateFinished, list[str]]:
    heard: list[str] = []

    def told(command: str, result: CommandResult | None) -> None:
        heard.append(f"{command}{'' if result is None else f' -> {result.exit_code}'}")

    subject, chosen, found = asyncio.run(run_gate(workspace, "", profile, told))
    assert row(subject, chosen, found).subject == "main"
    return found, heard


def test_it_runs_each_command_on_the_head_and_says_how_it_goes(tmp_path: Path) -> None:
    workspace = opened(tmp_path, "test -e README", "test -e more", strict="test ! -e README")
    found, heard = judged(workspace)
    assert (found.verdict, exit_code(found)) == ("red", 1)
    assert "?? " not in run_git(workspace.root, "status", "--porcelain")
    assert heard == ["test -e README", "test -e README -> 0", *["test -e more", "test -e more -> 1"] * 3]
    run_git(workspace.root, "commit", "--allow-empty", "--quiet", "--message=More")
    (workspace.root / "more").write_text("")
    run_git(workspace.root, "add", "more")
    run_git(workspace.root, "commit", "--quiet", "--message=More")
    assert exit_code(judged(workspace)[0]) == 0
    strict, _ = judged(workspace, "strict")
    assert (strict.verdict, strict.commands[-1].command) == ("red", "test ! -e README")
    slots = sorted(path.name for path in (workspace.layout.home / "gates").iterdir())
    assert slots == ["100", "100.git"], "the manager's slots are its own"


def test_a_gate_that_cannot_be_run_says_nothing_about_the_tree(tmp_path: Path) -> None:
    found, _ = judged(opened(tmp_path, "no-such-program-here"))
    assert (found.verdict, exit_code(found)) == ("infrastructure", 2)
    assert "no-such-program-here" in found.reason


def test_two_gates_by_hand_do_not_share_the_slot(tmp_path: Path) -> None:
    workspace = opened(tmp_path, "true")
    lock = ProcessLock(workspace.layout.lock("gate-by-hand"))
    lock.acquire()
    try:
        with pytest.raises(RosterError, match="wait for its end"):
            judged(workspace)
    finally:
        lock.release()


def test_a_task_needs_a_launch(tmp_path: Path) -> None:
    workspace = opened(tmp_path, "true")
    with pytest.raises(RosterError, match="no task has work"):
        asyncio.run(run_gate(workspace, "T-1", None, lambda *_: None))


def test_in_a_clone_that_knows_no_run_what_is_checked_out_is_judged(tmp_path: Path) -> None:
    workspace = opened(tmp_path, "test -e more")
    run_git(workspace.root, "checkout", "--quiet", "--detach")
    (workspace.root / "more").write_text("")
    run_git(workspace.root, "add", "more")
    run_git(workspace.root, "commit", "--quiet", "--message=More")
    subject, _, found = asyncio.run(run_gate(workspace, "", None, lambda command, result: None))
    assert (subject.name, found.verdict) == ("HEAD", "green")
