from __future__ import annotations

from pathlib import Path

import pytest

from callboard.launch.exclude import exclude

LINES = ("/.callboard/", "/feedback/*.md")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "info/exclude"


def test_the_file_is_made_where_there_is_none(path: Path) -> None:
    exclude(path, LINES)
    assert path.read_text() == "/.callboard/\n/feedback/*.md\n"


def test_what_people_wrote_stays_and_only_what_is_missing_is_added(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("# mine\n/.callboard/\n*.swp\n")
    exclude(path, LINES)
    assert path.read_text() == "# mine\n/.callboard/\n*.swp\n/feedback/*.md\n"


def test_the_same_again_writes_nothing(path: Path) -> None:
    exclude(path, LINES)
    before = path.stat().st_mtime_ns
    exclude(path, LINES)
    assert path.stat().st_mtime_ns == before


def test_a_last_line_without_its_end_is_not_run_together_with_ours(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"caf\xe9")
    exclude(path, LINES)
    assert path.read_bytes() == b"caf\xe9\n/.callboard/\n/feedback/*.md\n"
