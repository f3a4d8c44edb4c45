"""What each state of the flow waits for, and that whatever else comes, late or twice, leads nowhere."""

from __future__ import annotations

from typing import get_args

import pytest

from callboard.agents.deployment.events import (
    Answered,
    Begun,
    Event,
    Fixed,
    Judged,
    NotFixed,
    Nothing,
    Rules,
    StepEnded,
    WentBack,
)
from callboard.agents.deployment.flow import Move, advance
from callboard.bus.deployments import DeploymentDoc, StepName

EVENTS: tuple[Event, ...] = (
    Begun(),
    Judged("consensus", "said"),
    Fixed("e"),
    NotFixed("no"),
    Answered(True),
    WentBack("enough"),
    *(StepEnded(step, "passed", release="green") for step in get_args(StepName)),
)
BACK = "WentBack"


def at(state: str, step: str = "", asked: str = "") -> DeploymentDoc:
    told = {"state": state, "step": step, "asked": asked, "question": "Q-1" if asked else "", "number": 7}
    return DeploymentDoc.model_validate({"id": "d-1", "release": "green", "blue": "blue", **told})


@pytest.mark.parametrize(
    ("doc", "waits_for"),
    [
        (at("requested"), {"Begun", BACK}),
        (at("requested", "inputs"), {"inputs", BACK}),
        (at("prepared", "look"), {"look", BACK}),
        (at("green_up", "up"), {"up", BACK}),
        (at("fixing"), {"Fixed", "NotFixed", BACK}),
        (at("testing", "test"), {"test", BACK}),
        (at("testing", asked="tests"), {"Answered", BACK}),
        (at("reviewing"), {"Judged", BACK}),
        (at("reviewing", asked="review"), {"Answered", BACK}),
        (at("eligible", "rehearse"), {"rehearse", BACK}),
        (at("eligible", "ready"), {"ready", BACK}),
        (at("eligible", asked="ready"), {"Answered", BACK}),
        (at("promoting", "shift"), {"shift", BACK}),
        (at("baking", "bake"), {"bake", BACK}),
        (at("baking", "finish"), {"finish"}),
        (at("rolled_back", "roll_back"), {"roll_back"}),
        (at("done"), set[str]()),
        (at("rolled_back"), set[str]()),
    ],
)
def test_a_state_moves_by_what_it_waits_for_and_by_nothing_else(doc: DeploymentDoc, waits_for: set[str]) -> None:
    stood = Move(doc, Nothing())
    moved = {_name(event) for event in EVENTS if advance(doc, event, Rules()) != stood}
    assert moved == waits_for


def _name(event: Event) -> str:
    return event.step if isinstance(event, StepEnded) else type(event).__name__
