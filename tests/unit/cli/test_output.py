from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from callboard.cli.output import plural, print_json, say
from callboard.cli.plain import lines, one_line
from callboard.launch.summary import NO_RUN

if TYPE_CHECKING:
    from callboard.launch.rows import JsonValue


@dataclass(frozen=True, slots=True)
class Thing:
    name: str
    at: datetime
    parts: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            Thing("a", datetime(2026, 1, 2, tzinfo=UTC), ("x",)),
            {"name": "a", "at": "2026-01-02T00:00:00Z", "parts": ["x"]},
        ),
        ([Thing("a", datetime(2026, 1, 2, tzinfo=UTC))], [{"name": "a", "at": "2026-01-02T00:00:00Z", "parts": []}]),
        ({"ok": True, "n": None}, {"ok": True, "n": None}),
    ],
)
def test_rows_become_json(value: JsonValue, said: object, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(value)
    assert json.loads(capsys.readouterr().out) == said


def test_models_become_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"status": NO_RUN})
    assert json.loads(capsys.readouterr().out)["status"]["run"] is None


def test_json_survives_every_locale_and_half_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "Größe \ud83d"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out)["text"] == "Größe \ud83d"


def test_what_is_said_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2Jb\rc\u202ed")
    assert capsys.readouterr().out == "a␛[2Jb␍c\ufffdd\n"


def test_a_line_stays_a_line_and_lines_stay_lines() -> None:
    assert one_line("a\n\tb\r\n c") == "a b c"
    assert lines("a\r\n\tb") == "a\n\tb"


def test_one_thing_is_not_called_things() -> None:
    assert [plural(n, "task") for n in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
