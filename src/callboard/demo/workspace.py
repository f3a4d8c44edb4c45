"""Lays the demo's workspace out as an ordinary git repository."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

from callboard.agents.workspace.create import create_repository
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.lots import is_free
from callboard.launch.exclude import exclude
from callboard.settings import FILE

HERE = Path(__file__).parent
CONTENT = ("service", "roster")
"""Folders beside this file whose content makes up the workspace."""
RECORDING = HERE / "recording"
"""What the roster's models said; `make record` makes it."""
PORT = 8080
"""Of the service, as its callboard.toml has it where it is shipped."""
PORTS = range(10_000, 20_000)
"""Below what computers, and lots of agents, give out by themselves."""
AUTHOR = Person("Demo", "demo@callboard.invalid")


def make_workspace(path: Path, at: datetime) -> Repository:
    """Fill an empty or absent folder with the demo's repository: one commit on `main`, checked out, and what is played in it.

    Args:
        at: The date of the commit.

    Raises:
        FileExistsError: Something is in the folder already; nothing was changed.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"{path} is not empty; give a folder that is empty or does not exist")
    path.mkdir(parents=True, exist_ok=True)
    for folder in CONTENT:
        _copy(HERE / folder, path)
    toml = path / FILE
    toml.write_text(toml.read_text("utf-8").replace(f"port = {PORT}\n", f"port = {_free_port(path)}\n"), "utf-8")
    repository = create_repository(path, "A service that shortens links, and what its people want next", AUTHOR, at)
    exclude(repository.git_path("info/exclude"), ("/.callboard/",))
    _copy(RECORDING, Layout(path).play)
    return repository


def _copy(source: Path, target: Path) -> None:
    # An installer may have compiled the service's modules where they lie.
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _free_port(path: Path) -> int:
    """One that nobody listens on now; demos that begin at the same time have others."""
    first = int(hashlib.sha256(str(path).encode()).hexdigest()[:8], 16) % len(PORTS)
    ports: tuple[int, ...] = (*PORTS[first:], *PORTS[:first])
    return next(port for port in ports if is_free(port))
