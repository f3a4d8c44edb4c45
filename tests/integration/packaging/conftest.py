"""The wheel and the sdist, built once from a copy of this tree that holds a workspace's own files as well."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORKSPACE_FILES = (
    "feedback/driver-1.md",
    "feedback/archive/driver-1.2026-11.md",
    "directions/driver-1.md",
    "roles/driver.md",
    "callboard.toml",
    ".callboard/bus/appendonly.aof",
)
"""What a running roster and its people leave in a workspace; git ignores some of them through info/exclude alone."""

LEFT_OUT = (".git", ".gitignore", ".callboard", ".venv*", "dist", "__pycache__", ".*_cache", ".hypothesis")
"""What is not part of this tree, or is large and not the builder's business."""


@dataclass(frozen=True, slots=True)
class Built:
    tree: Path
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


def uv(*arguments: str | Path, cwd: Path) -> str:
    """Run uv: the one that runs these tests, else the one on PATH."""
    done = subprocess.run(
        [os.environ.get("UV", "uv"), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy_tree(into: Path) -> Path:
    """This tree without `.gitignore`, so that nothing but the build's own patterns keeps a file out."""
    shutil.copytree(ROOT, into, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in WORKSPACE_FILES:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_text("a workspace's own\n")
    return into


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    tree, out, again = (tmp_path_factory.mktemp(name) for name in ("tree", "dist", "again"))
    uv("build", "--sdist", "--wheel", "--out-dir", out, cwd=copy_tree(tree))
    sdist = next(out.glob("*.tar.gz"))
    uv("build", "--wheel", "--out-dir", again, sdist, cwd=out)
    return Built(tree, sdist, next(out.glob("*.whl")), next(again.glob("*.whl")))
