"""A repository for a driver to work in."""

from __future__ import annotations

from pathlib import Path

import pytest
from agent_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo", {"app.py": "x = 1\n", ".gitignore": "*.log\n"})
