from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from callboard.bus.errors import RosterError
from callboard.cli.logs import find_log, following, last_lines


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "driver-1.log"
    path.write_text("one\ntwo\nthree\n")
    return path


def once(act: Callable[[], object]) -> Callable[[], None]:
    """A wait that does this the first time, and fails the test if it is needed again."""
    left = [act]

    def wait() -> None:
        left.pop()()

    return wait


def take(lines: Iterator[str], count: int) -> list[str]:
    return list(islice(lines, count))


def test_the_last_lines_are_the_last_lines(log: Path) -> None:
    assert list(last_lines(log, 2)) == ["two", "three"]
    assert list(last_lines(log, 0)) == []


def test_bytes_that_are_no_text_do_not_end_it(log: Path) -> None:
    log.write_bytes(b"a\xff\n")
    assert list(last_lines(log, 5)) == ["a\ufffd"]


def test_following_goes_on_with_whole_lines(log: Path) -> None:
    def write() -> None:
        with log.open("a") as file:
            file.write("four\nfi")

    assert take(following(log, 1, once(write)), 2) == ["three", "four"]


def test_a_log_that_was_cut_is_read_from_its_beginning(log: Path) -> None:
    assert take(following(log, 1, once(lambda: log.write_text("new\n"))), 2) == ["three", "new"]


def test_a_log_that_was_replaced_by_a_longer_one_is_read_from_its_beginning(log: Path) -> None:
    def replace() -> None:
        other = log.with_suffix(".new")
        other.write_text("alpha\nbeta\ngamma\ndelta\n")
        other.replace(log)

    assert take(following(log, 1, once(replace)), 3) == ["three", "alpha", "beta"]


def test_an_unknown_name_is_answered_with_the_names_there_are(log: Path) -> None:
    with pytest.raises(RosterError, match="there are: driver-1"):
        find_log(log.parent, "driver-2")
    with pytest.raises(RosterError, match="nothing was launched here yet"):
        find_log(log.parent / "absent", "driver-2")


def test_a_name_is_never_a_path(log: Path) -> None:
    with pytest.raises(RosterError):
        find_log(log.parent / "logs", "../driver-1")
