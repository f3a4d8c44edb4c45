"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.bus.whole_files import write_whole


def test_a_text_takes_the_place_of_the_old_one_and_leaves_nothing_beside(tmp_path: Path) -> None:
    for text in ("ä" * 10_000, "b"):
        write_whole(tmp_path / "state.json", text)
        assert (tmp_path / "state.json").read_text("utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_what_cannot_take_its_place_leaves_it_as_it_was_and_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(OSError, match=r"state\.json"):
        write_whole(tmp_path / "state.json", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
