"""Workspaces for commands; whatever a test leaves running is ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from roster import Workspace, task


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A repository with a roster, in which nothing was launched yet."""
    made = Workspace(tmp_path / "project")
    made.init({"driver-1": task("1 - Write a", Writes="a.txt"), "driver-2": task("1 - Write b", Writes="b.txt")})
    yield made
    made.stop_everything()
