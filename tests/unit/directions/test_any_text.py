"""Any bytes and any text: each gives a direction, in steps that grow with its length."""

from __future__ import annotations

import cProfile
from pathlib import Path

import pytest
from direction_texts import untidy_texts
from hypothesis import given
from hypothesis import strategies as st
from parsed import FIXTURES, messages, parse, read_bytes

from callboard.bus.errors import ConfigError
from callboard.bus.task import TaskSpec
from callboard.directions.document import Direction, Problem
from callboard.directions.parse import MAX_BYTES, read_direction


def spoken(direction: Direction) -> list[TaskSpec]:
    return [task.model_copy(update={"source": None}) for task in direction.tasks]


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(tmp_path: Path, ending: str) -> None:
    data = (FIXTURES / "bakery.md").read_text(encoding="utf-8")
    plain = read_bytes(tmp_path, data.encode())
    odd = read_bytes(tmp_path, b"\xef\xbb\xbf" + data.replace("\n", ending).encode())
    assert odd.tasks == plain.tasks
    assert (odd.rules, odd.epoch, odd.problems) == (plain.rules, plain.epoch, plain.problems)
    assert odd.version != plain.version


def test_tabs_indent_like_spaces(tmp_path: Path) -> None:
    direction = read_bytes(tmp_path, b"## Tasks\n1.\tA\n\t**Evidence**: x\n\t- **Paths**: `a`\n\n\tmore\n")
    assert direction.tasks[0].fields == {"Evidence": "x", "Paths": "`a`\n\nmore"}


def test_bytes_that_are_not_utf8_are_replaced_and_reported(tmp_path: Path) -> None:
    direction = read_bytes(tmp_path, b"### Task 1 - Caf\xe9\n**What**: x\n")
    assert direction.tasks[0].title == "Caf\ufffd"
    assert direction.problems == (Problem(1, "byte 0xe9 is not UTF-8; such bytes were read as \ufffd"),)


def test_control_characters_are_replaced_and_reported(tmp_path: Path) -> None:
    direction = read_bytes(tmp_path, b"### Task 1 - A\n**What**: a\x00b\x1b[31m\n")
    assert direction.tasks[0].what == "a\ufffdb\ufffd[31m"
    assert direction.problems == (Problem(2, "control characters from here on; read as \ufffd"),)


def test_a_file_that_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_direction(tmp_path / "nobody.md", shown="directions/nobody.md")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_direction(tmp_path)
    huge = tmp_path / "huge.md"
    huge.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match=r"is larger than 1,000,000 bytes"):
        read_direction(huge)


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    assert messages(read_bytes(tmp_path, b"")) == ["the file is empty; understood as no tasks"]


# --- any text --------------------------------------------------------------------------------------------


@given(st.text() | untidy_texts)
def test_every_text_gives_a_direction_with_distinct_keys_and_real_lines(text: str) -> None:
    direction = parse(text)
    keys = [task.key for task in direction.tasks]
    assert len(set(keys)) == len(keys)
    lines = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert all(1 <= problem.line <= lines for problem in direction.problems)
    assert all(task.title == " ".join(task.title.split()) != "" for task in direction.tasks)


@given(st.binary(max_size=300))
def test_every_bytes_give_a_direction(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    read_bytes(tmp_path_factory.mktemp("any"), data)


def calls_to_parse(count: int) -> int:
    """How many functions are called to read a direction of so many tasks."""
    task = "### Task {n} - Do {n}\n**What**: x\n**Depends**: 1\n**Paths**: `a/{n}.py`\n**Checks**:\n- `make`\n\n---\n\n"
    text = "## Active tasks\n" + "".join(task.format(n=n) for n in range(1, count + 1))
    profile = cProfile.Profile()
    direction = profile.runcall(parse, text)
    assert len(direction.tasks) == count
    return sum(entry.callcount for entry in profile.getstats())


def test_three_times_the_tasks_take_no_more_than_three_times_the_steps() -> None:
    assert calls_to_parse(300) < 3.1 * calls_to_parse(100)


@pytest.mark.parametrize(
    "text",
    [
        "## Git workflow\n" + "git commit -m '" * 7_000,
        "### Task 1 - A\n**Checks**: " + "` `` " * 20_000,
        "### Task 1 - A\n" + " " * 100_000 + "**W",
        "## Non-negotiables\n" + "- " * 50_000 + "x",
        "## Later\n1. (" + "1" * 100_000,
        "## Tasks\n" + "1. **a" * 15_000,
        "> " * 50_000,
    ],
    ids=["commits", "backticks", "spaces", "dashes", "range", "bold", "quotes"],
)
@pytest.mark.timeout(60)
def test_text_made_to_be_slow_is_read_all_the_same(text: str) -> None:
    """What grows with the square of its length would take many minutes."""
    assert parse(text).agent == "driver-1"
