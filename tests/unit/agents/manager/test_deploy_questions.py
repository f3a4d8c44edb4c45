"""A promotion to production is held by the checklist until it passes, or a person says what of it may pass."""

from __future__ import annotations

import pytest
from deploy_desk import SETTINGS, Deployments

from callboard.agents.deployment.settings import EnvironmentSettings
from callboard.agents.manager.outlook import outlook
from callboard.bus.deployments import LetPass, ReadyItem, ReadyState
from callboard.bus.messages import DeploymentRequested
from callboard.bus.questions import QuestionDoc

GUARDED = SETTINGS.model_copy(
    update={"environments": {"live": EnvironmentSettings(production=True), "staging": EnvironmentSettings(port=8081)}}
)


def items(**states: ReadyState) -> list[dict[str, str]]:
    every = {"stages": "pass", "tests": "pass", "monitoring": "pass", "telemetry": "pass", **states}
    rows = [
        ReadyItem.model_validate({"name": n, "state": s, "fact": f"fact of {n}", "source": "there"})
        for n, s in every.items()
    ]
    return [row.model_dump() for row in rows]


def held(**states: ReadyState) -> tuple[Deployments, QuestionDoc]:
    desk = Deployments(GUARDED)
    desk.deploy("live")
    desk.until("eligible", "ready")
    desk.step("missing", reason=", ".join(states), checklist=items(**states))
    return desk, desk.question(desk.doc().question)


def test_what_fails_or_is_unknown_holds_it_and_is_shown_with_its_facts() -> None:
    desk, question = held(monitoring="unknown", tests="fail", telemetry="unknown")
    assert (desk.doc().state, desk.doc().step, outlook(desk.board)) == ("eligible", "", "people")
    assert "fail: tests, fact of tests (there); unknown: monitoring, fact of monitoring (there)" in question.text
    assert "pass: stages" in question.text


@pytest.mark.parametrize(
    ("states", "option"),
    [
        ({"monitoring": "unknown"}, "go on not knowing monitoring"),
        ({"monitoring": "unknown", "telemetry": "unknown"}, "go on not knowing monitoring, telemetry"),
        ({"tests": "fail"}, "go on although tests fails"),
        (
            {"tests": "fail", "stages": "fail", "telemetry": "unknown"},
            "go on although stages, tests fail, not knowing telemetry",
        ),
    ],
)
def test_an_answer_names_what_it_lets_pass_and_a_fail_is_said_to_be_one(
    states: dict[str, ReadyState], option: str
) -> None:
    desk, question = held(**states)
    assert question.options == (option, "look again", "roll back")
    refused = desk.person("answer", question=question.id, text="go on", by="Ada")
    assert not refused.reply.ok
    assert desk.doc().let_pass == ()
    heard = desk.person("answer", question=question.id, text=option, by="Ada")
    passes = tuple(LetPass(item=name, state=states[name], by="Ada") for name in sorted(states, key=ORDER.index))
    assert desk.doc().let_pass == passes
    asked = heard.one(DeploymentRequested)
    assert (asked.step, asked.let_pass) == ("shift", passes)
    assert desk.doc().history[-1].event == f"Ada says: {option}"


ORDER = ["stages", "tests", "monitoring", "telemetry"]


def test_a_person_who_has_seen_to_it_has_it_looked_at_again() -> None:
    desk, question = held(monitoring="unknown")
    heard = desk.person("answer", question=question.id, text="look again")
    assert heard.one(DeploymentRequested).step == "ready"
    assert desk.step(checklist=items()).one(DeploymentRequested).step == "shift"
    assert (desk.doc().let_pass, {one.state for one in desk.doc().checklist}) == ((), {"pass"})


def test_a_person_who_lets_nothing_pass_rolls_it_back_and_no_code_is_to_blame() -> None:
    desk, question = held(tests="fail")
    heard = desk.person("answer", question=question.id, text="roll back", by="Ada")
    assert heard.one(DeploymentRequested).step == "roll_back"
    assert (desk.doc().state, desk.doc().next) == ("rolled_back", "retry")


def test_only_production_is_held() -> None:
    desk = Deployments(GUARDED)
    desk.deploy("staging")
    desk.until("eligible", "rehearse")
    assert desk.step().one(DeploymentRequested).step == "shift"
