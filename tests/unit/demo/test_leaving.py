"""What becomes of the demo's temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.cli.demo import leave


@pytest.mark.parametrize(("code", "launched", "stays"), [(0, True, False), (1, True, True), (1, False, False)])
def test_it_stays_only_when_something_went_wrong_in_it(tmp_path: Path, code: int, launched: bool, stays: bool) -> None:
    folder = tmp_path / "demo"
    (folder / (".callboard" if launched else "app")).mkdir(parents=True)
    leave(folder, code)
    assert folder.exists() == stays
