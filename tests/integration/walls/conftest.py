"""A user's repository to work in, and one whose walls are to be tried."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import KINDS, Arena, make_arena
from workshop import Workshop, make_workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return make_workshop(tmp_path / "project")


@pytest.fixture(params=KINDS)
def arena(request: pytest.FixtureRequest) -> Iterator[Arena]:
    folder = Path(tempfile.mkdtemp(prefix="cb-"))
    try:
        yield make_arena(folder, request.param)
    finally:
        shutil.rmtree(folder)
