"""Transcripts are read whole before they are played, and a parked attempt is not played twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.transcript import STEPS, Run, Say, choose, read_transcript, recorded
from callboard.bus.errors import BrainError


def transcript(folder: Path, *lines: str) -> Path:
    path = folder / "t.1.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_kind_of_step_is_read_with_its_place(tmp_path: Path) -> None:
    path = transcript(
        tmp_path,
        '{"say": "reading"}',
        '{"write": "a.py", "text": "x"}',
        '{"edit": "a.py", "old": "x", "new": "y"}',
        '{"delete": "a.py"}',
        "",
        '{"run": "pytest -q"}',
        '{"wait": 1}',
        '{"ask": {"text": "Which?", "options": ["a", "b"]}}',
        '{"blocked": {"what": "no key", "needs": "a key"}}',
        '{"done": "did it"}',
        '{"verdict": {"vote": "approved"}}',
    )
    lines = read_transcript(path).lines
    assert {type(line.step) for line in lines} == set(STEPS.values())
    assert lines[0].step == Say(say="reading")
    assert (lines[4].place, lines[4].step) == (f"{path}:6", Run(run="pytest -q"))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"sing": "la"}', "unknown step sing; the steps are say, write"),
        ("{}", "unknown step"),
        ("say: hello", "expected a JSON object"),
        ('{"say": 1}', "say: Input should be a valid string"),
        ('{"write": "a.py"}', "text: Field required"),
        ('{"run": "x", "timeout": 3}', "timeout: Extra inputs"),
        ('{"wait": 60}', "wait: Input should be less than or equal to 2"),
        ('{"blocked": {}}', "blocked.what: Field required"),
        ('{"ask": "Which?"}', "ask: "),
    ],
)
def test_a_line_that_is_no_step_is_named_with_file_and_line(tmp_path: Path, line: str, what: str) -> None:
    path = transcript(tmp_path, '{"say": "fine"}', line)
    with pytest.raises(BrainError) as raised:
        read_transcript(path)
    assert str(raised.value).startswith(f"{path}:2: ")
    assert what in str(raised.value)


def test_a_transcript_that_is_no_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "t.1.jsonl").write_bytes(b"\xff")
    with pytest.raises(BrainError, match=r"t\.1\.jsonl: the transcript cannot be read"):
        read_transcript(tmp_path / "t.1.jsonl")


def test_an_agents_own_tasks_leave_out_its_name_and_others_do_not(tmp_path: Path) -> None:
    for name in (
        "driver-1/health.1.jsonl",
        "driver-1/health.12.jsonl",
        "driver-1/health.x.jsonl",
        "senior/driver-1/health.1.jsonl",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    own = tmp_path / "driver-1"
    assert recorded(tmp_path, "driver-1", "driver-1/health") == {1: own / "health.1.jsonl", 12: own / "health.12.jsonl"}
    assert recorded(tmp_path, "senior", "driver-1/health") == {1: tmp_path / "senior/driver-1/health.1.jsonl"}
    assert recorded(tmp_path, "junior-1", "driver-1/health") == {}


@pytest.mark.parametrize("key", ["../../etc/passwd", "driver-1/../../x", "a/../../../b"])
def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(BrainError, match="cannot name a transcript"):
        recorded(tmp_path, "driver-1", key)


@pytest.mark.parametrize(
    ("parks", "attempt", "answers", "chosen"),
    [
        ({}, 1, 0, None),
        ({2: False}, 1, 0, None),
        ({1: False}, 1, 0, (1, False)),
        ({1: False}, 5, 0, (1, False)),
        ({1: False, 2: False, 3: False}, 2, 0, (2, False)),
        ({1: True, 2: False}, 1, 0, (1, False)),
        ({1: True, 2: False}, 2, 1, (2, False)),
        ({1: True, 2: False}, 1, 1, (2, False)),
        ({1: True}, 2, 1, (1, True)),
        ({1: True}, 1, 1, (1, True)),
        ({1: True, 2: True, 3: False}, 2, 1, (2, False)),
        ({1: True, 2: True, 3: False}, 3, 2, (3, False)),
        ({1: True, 2: True}, 3, 2, (2, True)),
        ({1: True, 3: False}, 2, 1, (3, False)),
    ],
)
def test_the_recorded_attempt_follows_the_answers(
    parks: dict[int, bool], attempt: int, answers: int, chosen: tuple[int, bool] | None
) -> None:
    assert choose(parks, attempt, answers) == chosen


@given(st.dictionaries(st.integers(1, 6), st.booleans(), min_size=1), st.integers(1, 8), st.integers(0, 8))
def test_an_attempt_is_found_whenever_one_is_recorded_at_or_below(
    parks: dict[int, bool], attempt: int, answers: int
) -> None:
    chosen = choose(parks, attempt, answers)
    assert (chosen is None) == (min(parks) > attempt)
    if chosen is not None and chosen[1]:
        assert parks[chosen[0]]
