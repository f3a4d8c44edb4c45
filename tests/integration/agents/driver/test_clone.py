"""What a project's setup and a brain leave in a driver's clone."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from agent_world import World, bodies, entry
from driver_desk import AGENT, assigned, delivered, driver, files_of, handle

from callboard.agents.workspace.setup import Setup
from callboard.bus.messages import (
    EvidenceSubmitted,
)

# --- setup --------------------------------------------------------------------------------------


def test_setup_runs_again_when_its_inputs_changed_or_the_last_attempt_was_red(world: World, tmp_path: Path) -> None:
    log = tmp_path / "setup"
    setup = Setup((f"echo run >> {log}; touch ready.log",), ("needs.txt",))
    for task, command, runs in (
        ("T-1", "test -f ready.log", 1),
        ("T-2", "test -f ready.log", 1),
        ("T-3", "test -f ready.log && echo dep >> needs.txt", 2),
        ("T-4", "rm ready.log", 3),
        ("T-5", "true", 3),
        ("T-6", "true", 4),
    ):
        check = "true" if task == "T-4" else "test -f ready.log"
        outcome = handle(driver(world, command, setup=setup), delivered(assigned(world, check), task=task))
        (evidence,) = bodies(outcome, EvidenceSubmitted)
        assert [result.exit_code for result in evidence.commands] == ([1] if task == "T-5" else [0]), task
        assert len(log.read_text().splitlines()) == runs, task


def test_a_failing_setup_is_told_to_the_brain_and_is_part_of_the_evidence(world: World) -> None:
    command = "python3 -c " + shlex.quote("import json, sys; print(json.load(sys.stdin)['notes'][0]['text'])")
    setup = Setup(("echo no network; exit 7", "touch never.log"))
    (evidence,) = bodies(
        handle(driver(world, command, setup=setup), delivered(assigned(world, "true"))), EvidenceSubmitted
    )
    assert evidence.notes.startswith("setup `echo no network; exit 7` ended with exit code 7")
    assert [(result.command, result.exit_code) for result in evidence.commands] == [
        ("echo no network; exit 7", 7),
        ("true", 0),
    ]
    assert not (world.layout.clone(AGENT) / "never.log").exists()


def test_what_setup_makes_is_no_part_of_the_work(world: World) -> None:
    setup = Setup(("mkdir -p made; touch made/by-setup.py",))
    outcome = handle(driver(world, "touch made/by-brain.py; touch own.py", setup=setup), delivered(assigned(world)))
    (evidence,) = bodies(outcome, EvidenceSubmitted)
    assert evidence.files == ("own.py",)


# --- what a brain may leave in its clone ----------------------------------------------------------


def test_planted_git_settings_run_nothing_and_stray_branches_are_reported(world: World, tmp_path: Path) -> None:
    owned = tmp_path / "owned"
    command = (
        f"printf '#!/bin/sh\\ntouch {owned}\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit;"
        f"git config filter.x.clean 'touch {owned}; cat'; git config core.fsmonitor 'touch {owned}';"
        "printf '*.py filter=x\\n' > .gitattributes; git config gpg.program 'false'; echo 'z = 3' > z.py; git branch stray"
    )
    outcome = handle(driver(world, "mkdir -p .git/hooks; " + command), delivered(assigned(world)))
    (evidence,) = bodies(outcome, EvidenceSubmitted)
    assert evidence.head is not None
    assert files_of(world, evidence.head)["z.py"] == b"z = 3\n"
    assert not owned.exists()
    assert "in no commit: `refs/heads/stray`" in entry(outcome).facts
    # with the wall away, the same settings do run: a git that trusts the clone's own `.git`
    subprocess.run(["git", "add", "z.py"], cwd=world.layout.clone(AGENT), check=True)
    assert owned.exists()
