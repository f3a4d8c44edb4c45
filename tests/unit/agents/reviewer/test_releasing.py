"""What a reviewer may say about deployed code."""

from __future__ import annotations

import json

import pytest

from callboard.agents.reviewer.releasing import ASKED, read_release_review
from callboard.bus.deployments import QUESTIONS
from callboard.bus.errors import BrainError

GOOD = {name: {"answer": "good", "reason": "read"} for name in QUESTIONS}


def test_all_five_are_asked() -> None:
    assert tuple(ASKED) == QUESTIONS


def test_five_answers_are_whole_and_four_are_an_abstention() -> None:
    assert read_release_review(json.dumps(GOOD)).is_whole
    four = {name: part for name, part in GOOD.items() if name != "security"}
    said = read_release_review(json.dumps(four))
    assert not said.is_whole
    assert set(said.answers) == set(four)


@pytest.mark.parametrize(
    "said",
    [
        {**GOOD, "quality": {"answer": "unanswered"}},
        {**GOOD, "quality": {"answer": "fine"}},
        {**GOOD, "taste": {"answer": "good"}},
        {**GOOD, "quality": "good"},
    ],
)
def test_what_has_another_shape_is_not_read(said: dict[str, object]) -> None:
    with pytest.raises(BrainError):
        read_release_review(json.dumps(said))
