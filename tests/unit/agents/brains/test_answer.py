"""What brains print is hostile until it has been parsed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.answer import MAX_JSON, last_line, plain, read_object
from callboard.bus.errors import BrainError


def test_the_last_line_that_is_not_blank_is_the_answer() -> None:
    assert last_line(b"working\n{}\n\n  \n") == "{}"
    assert last_line(b"no newline") == "no newline"
    assert last_line(b"\n \n") == ""


def test_a_line_too_long_to_be_an_answer_is_none() -> None:
    assert last_line(b"ok\n" + b"x" * (MAX_JSON + 1)) == ""


def test_bytes_that_are_no_text_become_text() -> None:
    assert last_line(b"\xff\xfe") == "\ufffd\ufffd"


def test_one_object_is_read() -> None:
    assert read_object('{"status": "done"}') == {"status": "done"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "done",
        "[1]",
        '"x"',
        "{",
        '{"a": 1} {"b": 2}',
        '{"a": 1, "a": 2}',
        '{"a": Infinity}',
        '{"a": "\\ud800"}',
        '{"a": ' + "[" * 200_000,
        '{"a": ' + "[" * 200_000 + "]" * 200_000 + "}",
        '{"a": ' + "1" * 200_000 + "}",
        '{"a": "' + "x" * MAX_JSON + '"}',
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_harmless_object_is_refused(text: str) -> None:
    with pytest.raises(BrainError, match="expected a JSON object"):
        read_object(text)


@given(st.text())
def test_plain_text_can_always_be_sent_and_shown(text: str) -> None:
    shown = plain(text, 40)
    json.dumps(shown, ensure_ascii=False).encode()
    assert len(shown) <= 40
    assert all(char.isprintable() or char in "\n\t" or not char.isascii() for char in shown)


def test_plain_text_drops_what_moves_a_terminal() -> None:
    assert plain("\x1b[2J\x1b]0;title\x07done\r\nnext\x08", 100) == "done\nnext"


def test_plain_text_says_that_it_was_cut() -> None:
    assert plain("x" * 50, 10) == "x" * 8 + " …"
