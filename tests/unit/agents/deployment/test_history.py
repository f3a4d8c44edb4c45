"""What is remembered of an environment: its lock, and what passed there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callboard.agents.deployment.history import History, previous
from callboard.bus.errors import DeployFailed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def history(tmp_path: Path) -> History:
    folder = tmp_path / "staging"
    folder.mkdir()
    return History(folder, lambda: NOON)


def test_a_lock_says_who_since_when_and_why(history: History) -> None:
    history.lock("Ada", "holidays")
    assert str(history.read().hold) == "locked by Ada since 2026-03-02 12:00:00Z (holidays)"


def test_the_same_holder_may_lock_again_and_nobody_else(history: History) -> None:
    history.lock("Ada", "holidays")
    assert history.lock("Ada", "longer").why == "holidays"
    with pytest.raises(DeployFailed, match="staging is locked by Ada since"):
        history.lock("Bob", "mine")


def test_the_wrong_person_does_not_unlock(history: History) -> None:
    history.lock("Ada", "holidays")
    with pytest.raises(DeployFailed, match="not by Bob"):
        history.unlock("Bob")
    with pytest.raises(DeployFailed, match="needs a reason"):
        history.unlock("Bob", breaks=True, why=" ")
    assert history.read().hold is not None


def test_breaking_a_lock_is_written_down(history: History) -> None:
    history.lock("Ada", "holidays")
    history.unlock("Bob", breaks=True, why="it burns")
    record = history.read()
    assert record.hold is None
    assert [(one.by, one.did) for one in record.audit] == [
        ("Ada", "locked"),
        ("Bob", "broke the lock of Ada: it burns"),
    ]


def test_ones_own_lock_opens_without_a_word(history: History) -> None:
    history.lock("Ada", "holidays")
    assert history.unlock("Ada") is not None
    assert history.unlock("Ada") is None


def test_the_release_to_go_back_to_is_the_newest_that_is_not_the_one_that_serves(history: History) -> None:
    for n in (1, 2, 3):
        history.note_passed(f"r-{n}", "c" * 40, f"d-{n}")
    history.note_passed("r-3", "c" * 40, "d-3")
    found = previous(history.read(), "r-3")
    assert found is not None
    assert found.release == "r-2"
    assert len(history.read().passed) == 3


def test_a_file_that_cannot_be_read_is_an_error_with_the_way_out(history: History, tmp_path: Path) -> None:
    (tmp_path / "staging" / "history.json").write_text("{")
    with pytest.raises(DeployFailed, match="put it back as it was, or remove it"):
        history.read()
