"""A run in a library's repository that nobody here wrote, with its own test suite as the gate."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from roster import HANG_S, Workspace, run_git, task

Make = Callable[..., Workspace]

LIBRARY, VERSION = "itsdangerous", "2.2.0"
UV = os.environ.get("UV") or shutil.which("uv") or "uv"
PYTEST = ".venv/bin/python -m pytest -q -p no:cacheprovider"
NEW_TEST = 'from itsdangerous import Signer; def test_back(): assert Signer("s").unsign(Signer("s").sign("x")) == b"x"'
"""The driver program writes `; ` as a line's end."""


def fetch_source(into: Path) -> Path:
    """The library's source distribution from the package index, unpacked."""
    argv = [
        UV,
        "tool",
        "run",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
        f"{LIBRARY}=={VERSION}",
    ]
    subprocess.run([*argv, "--dest", str(into)], check=True, capture_output=True, timeout=HANG_S)
    (archive,) = into.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    return into / f"{LIBRARY}-{VERSION}"


def fingerprint(folder: Path) -> dict[str, str]:
    """What must stay as it is byte for byte: checkout, index, HEAD, configuration, and the refs that are not ours."""
    git = folder / ".git"
    branches = ("callboard", "driver-1", "driver-2", "senior", "junior-1", "junior-2", "manager")
    ours = ("refs/callboard", "refs/tags/callboard", *(f"refs/heads/{name}" for name in branches))
    skipped = ("objects", "info/exclude", *ours, *(f"logs/{ref}" for ref in ours))
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        inside = path.relative_to(git).as_posix() if path.is_relative_to(git) else ""
        if name.startswith((".callboard", "feedback")) or inside.startswith(skipped) or not path.is_file():
            continue
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.mark.long
def test_three_tasks_land_in_a_strangers_library_and_are_promoted(workspace: Make, tmp_path: Path) -> None:
    source = fetch_source(tmp_path)
    made = workspace(
        source.name,
        gate=[PYTEST],
        setup=[
            f"{UV} venv --quiet --python {sys.executable} .venv",
            f"{UV} pip install --quiet -p .venv -e . pytest freezegun",
        ],
        extra='setup_inputs = ["pyproject.toml"]\npass_env = ["UV_*", "PIP_*", "SSL_*", "HOME", "XDG_*"]\n[sandbox]\nsetup_connect = ["*"]',
    )
    made.init(
        {
            "driver-1": task("1 - Say what a signer is", Writes="docs/signer-note.rst", Text="A signer signs.")
            + task(
                "2 - Test that a value comes back",
                Writes="tests/test_itsdangerous/test_roundtrip.py",
                Text=NEW_TEST,
                Checks=f"`{PYTEST} tests/test_itsdangerous/test_roundtrip.py`",
            ),
            "driver-2": task("1 - Name the next version", Writes="docs/next.rst", Text="Next: 2.3.0"),
        }
    )
    before = fingerprint(made.path)
    code, output = made.launch()
    assert code == 0, output
    assert fingerprint(made.path) == before
    tip = made.integration()
    line = run_git(made.path, "rev-list", "--first-parent", f"main..{tip}").splitlines()
    assert sorted(made.landed_keys(tip)) == [
        "driver-1/say-what-a-signer-is",
        "driver-1/test-that-a-value-comes-back",
        "driver-2/name-the-next-version",
    ]
    for commit in line:
        assert suite_passes(made, tmp_path, commit)
    promoted = made.call("promote")
    assert promoted.returncode == 0, promoted.stderr
    assert run_git(made.path, "rev-parse", "main") == run_git(made.path, "rev-parse", tip)
    assert run_git(made.path, "status", "--porcelain") == ""
    assert (made.path / "docs/next.rst").read_text() == "Next: 2.3.0\n"


def suite_passes(made: Workspace, tmp_path: Path, commit: str) -> bool:
    """The library's own tests at one commit, in a checkout of our own."""
    folder = tmp_path / f"at-{commit[:12]}"
    run_git(made.path, "clone", "--quiet", "--shared", str(made.path), str(folder))
    run_git(folder, "checkout", "--quiet", commit)
    python = made.path / ".callboard/gates/1/.venv/bin/python"
    env = {**os.environ, "PYTHONPATH": str(folder / "src")}
    return subprocess.run([str(python), "-m", "pytest", "-q"], cwd=folder, env=env, check=False).returncode == 0
