"""Recordings: written so that people can read them, read so that a mistake names its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from callboard.agents.brains.calls import About
from callboard.agents.brains.recording import Called, Parked, Recording, Said, Talk, read_talk
from callboard.bus.errors import BrainError

WORK = About(key="driver-1/health", agent="driver-1", attempt=1, asked="a1")
REVIEW = About(key="driver-1/health", agent="senior", attempt=1, round=1, asked="a1", change="c1")
READ = Said(
    model="opus",
    says="Looking",
    calls=(Called(tool="read", arguments={"path": "a.py"}, ok=True),),
    input_tokens=12,
    usd=Decimal("0.25"),
)
DONE = Said(model="opus", calls=(Called(tool="done", arguments={"notes": "é"}),))


def test_where_it_was_parked_is_the_last_line(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "driver-1/health.1.jsonl", WORK, (READ,), Parked(parked="provider"))
    Recording(tmp_path).write(talk)
    assert talk.path.read_text().splitlines()[-1] == '{"parked":"provider"}'
    assert Recording(tmp_path).find(WORK) == talk


def test_what_is_written_is_found_again_under_the_name_of_what_it_is_about(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    for about, name in (
        (WORK, "driver-1/health.1.jsonl"),
        (REVIEW, "senior/driver-1/health.1.jsonl"),
        (REVIEW.model_copy(update={"round": 2}), "senior/driver-1/health.1.2.jsonl"),
    ):
        assert recording.write(Talk(tmp_path, about, (READ, DONE))) == tmp_path / name
        assert recording.find(about) == Talk(tmp_path / name, about, (READ, DONE))
    assert (tmp_path / "driver-1/health.1.jsonl").read_text().splitlines() == [
        '{"key":"driver-1/health","agent":"driver-1","attempt":1,"asked":"a1"}',
        '{"model":"opus","says":"Looking","calls":[{"tool":"read","arguments":{"path":"a.py"},"ok":true}],'
        '"input_tokens":12,"usd":"0.25"}',
        '{"model":"opus","calls":[{"tool":"done","arguments":{"notes":"é"}}]}',
    ]


@pytest.mark.parametrize(("attempt", "played"), [(1, 2), (2, 2), (3, 2), (4, 4), (9, 4)])
def test_an_attempt_that_was_not_recorded_is_the_nearest_before_it_else_the_first(
    tmp_path: Path, attempt: int, played: int
) -> None:
    recording = Recording(tmp_path)
    for recorded in (4, 2):
        recording.write(Talk(tmp_path, WORK.model_copy(update={"attempt": recorded}), (DONE,)))
    assert recording.find(WORK.model_copy(update={"attempt": attempt})).about.attempt == played


@pytest.mark.parametrize(
    ("about", "wrong"),
    [
        (REVIEW.model_copy(update={"asked": "a2"}), "asked for something else when this was recorded"),
        (REVIEW.model_copy(update={"change": "c2"}), "said about another change"),
        (REVIEW.model_copy(update={"agent": "junior-1"}), "nothing that junior-1 said on driver-1/health is recorded"),
        (REVIEW.model_copy(update={"key": "driver-1/heal"}), "nothing that senior said on driver-1/heal is recorded"),
        (REVIEW.model_copy(update={"key": "../../x"}), "cannot name a file"),
    ],
)
def test_what_was_said_about_something_else_is_not_played(tmp_path: Path, about: About, wrong: str) -> None:
    recording = Recording(tmp_path)
    recording.write(Talk(tmp_path, REVIEW, (DONE,)))
    assert recording.find(REVIEW).replies == (DONE,)
    with pytest.raises(BrainError, match=wrong):
        recording.find(about)


HEAD = '{"key":"k","agent":"a","attempt":1,"asked":"x"}'


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", r":1: the recording is empty"),
        ("{}", r":1: key: Field required"),
        (HEAD.replace("1", "0"), r":1: attempt: Input should be greater than or equal to 1"),
        (f"{HEAD}\n\nnot json", r":3: expected a JSON object, got 'not json'"),
        (f'{HEAD}\n{{"model":"m","sings":1}}', r":2: sings: Extra inputs are not permitted"),
        (f'{HEAD}\n{{"model":"m","calls":[{{"name":"x"}}]}}', r":2: calls\.0\.tool: Field required"),
        (f'{HEAD}\n{{"model":"m","usd":"dear"}}', r":2: usd: Input should be a valid decimal"),
        (f'{HEAD}\n{{"model":"m","finish":"stop"}}', r":2: finish: Input should be 'length' or 'content_filter'"),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "health.1.jsonl"
    path.write_text(text)
    with pytest.raises(BrainError, match=rf"health\.1\.jsonl{wrong}"):
        read_talk(path)
