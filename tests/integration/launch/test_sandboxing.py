"""Where two kinds of sandbox can be had and the first does not hold, everything runs in the one that does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from roster import Workspace as Made
from roster import task

from callboard.agents.workspace.sandbox_probe import Enforced
from callboard.app import Workspace
from callboard.launch.sandboxing import held_by


def test_what_was_found_to_hold_is_used_here_and_by_the_processes_that_are_started(tmp_path: Path) -> None:
    made = Made(tmp_path / "project")
    made.init({"driver-1": task("1 - One")})
    asked = Workspace.open(made.path, {})
    assert asked.settings.sandbox.kind == "auto"

    # "off" stands for a kind that is not the first that can be had
    held = held_by(asked, Enforced(replace(asked.base_sandbox, kind="off")))

    assert held.sandbox("slot-1", tmp_path, tmp_path).kind == "off"
    assert Workspace.open(made.path, held.environ).settings.sandbox.kind == "off"
    assert asked.settings.sandbox.kind == "auto"
