"""A user's repository to work in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from landing_line import BRANCH, Line, Ready
from workshop import Workshop, git, make_workshop

from callboard.agents.workspace.git_lasting import LastingRepository


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return make_workshop(tmp_path / "project")


@pytest.fixture
def line(workshop: Workshop) -> Iterator[Line]:
    git(workshop.root, "branch", BRANCH)
    repository = LastingRepository.of(workshop.repository)
    yield Line(workshop, workshop.head, repository)
    repository.close()


@pytest.fixture
def ready(line: Line) -> Ready:
    return Ready(line, line.prepare(line.work({"new.py": "x\n"}), "new.py"))
