"""What the README tells a newcomer to type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from roster import HANG_S

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.long
def test_its_example_of_a_program_as_the_model_lands_and_is_promoted(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "T-1 Greet by name: landed" in done.stdout
    assert 'f"hello {name}"' in (tmp_path / "greet/greet.py").read_text()


def test_every_file_it_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_it_names_is_known() -> None:
    named = set(re.findall(r"callboard ([a-z]+)\b", README))
    known = subprocess.run([sys.executable, "-m", "callboard"], capture_output=True, text=True, check=True).stdout
    assert named >= {"demo", "init", "launch", "promote", "doctor"}
    assert [name for name in sorted(named) if f" {name} " not in known] == []
