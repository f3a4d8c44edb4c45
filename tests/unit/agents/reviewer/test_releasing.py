"""What a reviewer may say about deployed code."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from callboard.agents.reviewer.releasing import ASKED, about_release, read_release_review
from callboard.bus.deployments import QUESTIONS
from callboard.bus.errors import BrainError
from callboard.bus.messages import ReleaseReviewRequested
from callboard.bus.task import CommandResult

GOOD = {name: {"answer": "good", "reason": "read"} for name in QUESTIONS}

FAULTY = {**GOOD, "requirements": {"answer": "fixes", "reason": "it forgets"}}


def test_requirements_that_are_not_met_are_named_by_number() -> None:
    said = read_release_review(json.dumps({**FAULTY, "unmet": [2, 1, 2]}), 3)
    assert (said.requirements, said.unmet) == (3, (1, 2))
    assert [said.finds_met(number) for number in (1, 2, 3)] == [False, False, True]


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
        {**GOOD, "unmet": [1]},
        {**FAULTY, "unmet": [3]},
        {**FAULTY, "unmet": [0]},
    ],
)
def test_what_has_another_shape_is_not_read(said: dict[str, object]) -> None:
    with pytest.raises(BrainError):
        read_release_review(json.dumps(said), 2)


def test_what_was_said_about_a_release_is_known_again_at_another_commit_and_address_but_not_with_other_results() -> (
    None
):
    green = CommandResult(command="make test", exit_code=0, duration_s=1.0, digest="0" * 64)
    request = ReleaseReviewRequested(
        review="d-1.1",
        deployment="d-1",
        environment="production",
        base="a" * 40,
        commit="b" * 40,
        requirements=("docs/needs.md",),
        address="http://127.0.0.1:20000",
        commands=(green,),
        deadline=datetime(2030, 1, 1, tzinfo=UTC),
    )
    elsewhere = request.model_copy(
        update={
            "base": "c" * 40,
            "commit": "d" * 40,
            "address": "http://127.0.0.1:30000",
            "commands": (green.model_copy(update={"duration_s": 2.0}),),
        }
    )
    asked = about_release("senior", request, {"docs/needs.md": "It answers."})
    assert about_release("senior", elsewhere, {"docs/needs.md": "It answers."}) == asked
    assert about_release("senior", request, {"docs/needs.md": "It answers fast."}) != asked
    red = request.model_copy(update={"commands": (green.model_copy(update={"exit_code": 1}),)})
    assert about_release("senior", red, {"docs/needs.md": "It answers."}) != asked
