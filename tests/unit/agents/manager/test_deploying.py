"""The desk's side of deployments: what people ask for, which step comes next, what ends it."""

from __future__ import annotations

import pytest
from deploy_desk import DEPLOYER, SETTINGS, Deployments
from desk_board import REVIEWERS, Desk

from callboard.agents.manager.outlook import outlook
from callboard.bus.deployments import QUESTIONS, ReleaseAnswer, ReleaseReview, Said
from callboard.bus.issues import IssueDoc
from callboard.bus.messages import (
    DeploymentChanged,
    DeploymentCommanded,
    DeploymentRequested,
    MessageRefused,
    ReleaseReviewGiven,
    ReleaseReviewRequested,
)


def test_a_deployment_goes_from_step_to_step_and_ends_the_run_with_it() -> None:
    desk = Deployments()
    heard = desk.deploy()
    assert heard.reply.ok
    [asked] = heard.to(DEPLOYER)
    assert isinstance(asked, DeploymentRequested)
    assert (asked.step, asked.commit, asked.environment) == ("inputs", desk.run.head, "staging")
    assert (desk.run.state, outlook(desk.board)) == ("running", "moving")
    steps = [asked.step]
    while not desk.doc().is_over:
        heard = desk.reviews() if desk.doc().state == "reviewing" else desk.step(blue="r-0")
        steps += [body.step for body in heard.of(DeploymentRequested)]
    assert steps == ["inputs", "look", "up", "test", "rehearse", "shift", "shift", "bake", "finish"]
    assert (desk.doc().state, desk.run.state) == ("done", "succeeded")
    assert [edge.to for edge in desk.doc().history][-1] == "done"


def test_the_canary_gives_green_its_shares_one_after_the_other() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("eligible", "rehearse")
    assert [desk.step().one(DeploymentRequested).percent for _ in range(2)] == [10, 100]


def test_a_first_deployment_gets_all_traffic_at_once() -> None:
    desk = Deployments()
    desk.deploy()
    for _ in range(4):
        desk.step(blue="")
    desk.reviews()
    assert desk.step().one(DeploymentRequested).percent == 100


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"environment": "moon"}, "no environment 'moon'"),
        ({"environment": "staging"}, "d-1 is under way in staging"),
    ],
)
def test_what_cannot_be_deployed_is_refused_with_the_way_out(body: dict[str, str], said: str) -> None:
    desk = Deployments()
    desk.deploy()
    heard = desk.hear(DeploymentCommanded.model_validate({"command": "deploy", **body}), "person")
    assert not heard.reply.ok
    assert said in heard.reply.text
    assert not heard.of(DeploymentRequested)


def test_without_a_table_or_an_agent_nothing_is_deployed() -> None:
    assert "no [deploy] table" in Deployments(None).deploy().reply.text
    desk = Desk(deploy=SETTINGS)
    heard = desk.hear(DeploymentCommanded(command="deploy"), "person")
    assert "nobody on the roster deploys" in heard.reply.text


def test_two_environments_are_deployed_to_side_by_side() -> None:
    desk = Deployments()
    desk.deploy("staging")
    assert desk.deploy("production").reply.ok
    assert (desk.doc("d-1").environment, desk.doc("d-2").environment) == ("staging", "production")


def test_a_late_answer_is_only_written_down() -> None:
    desk = Deployments()
    desk.deploy()
    stale = DeploymentChanged(deployment="d-1", number=desk.doc().number, step="inputs", outcome="passed")
    desk.hear(stale, DEPLOYER)
    before = desk.doc()
    assert desk.hear(stale, DEPLOYER).one(MessageRefused)
    assert desk.doc() == before
    same_step = stale.model_copy(update={"step": before.step})
    assert desk.hear(same_step, DEPLOYER).one(MessageRefused), "a step is done again after a fix, by another number"
    assert desk.doc() == before


@pytest.mark.parametrize("state", ["green_up", "testing", "reviewing", "eligible", "promoting", "baking"])
def test_a_person_rolls_back_from_every_state_and_blue_is_asked_for_at_once(state: str) -> None:
    desk = Deployments()
    desk.deploy()
    desk.until(state)
    heard = desk.roll_back(reason="too early")
    assert heard.one(DeploymentRequested).step == "roll_back"
    assert desk.doc().state == "rolled_back"
    desk.step()
    assert desk.doc().is_over
    assert "too early" in desk.doc().reason
    assert (desk.doc().next, desk.run.state) == ("retry", "succeeded")


@pytest.mark.parametrize("step", ["inputs", "look"])
def test_what_is_missing_ends_it_before_anything_is_started(step: str) -> None:
    desk = Deployments()
    desk.deploy()
    while desk.doc().step != step:
        desk.step()
    heard = desk.step("failed", reason="no rollback plan: name a file as rollback_plan")
    assert not heard.of(DeploymentRequested)
    assert desk.doc().is_over
    assert "no rollback plan" in desk.doc().reason


def test_a_rollback_after_done_brings_the_earlier_release_back_without_tests_and_review() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("done")
    heard = desk.roll_back()
    assert heard.reply.ok
    steps = [heard.one(DeploymentRequested).step]
    while not desk.doc("d-2").is_over:
        body = desk.step(id="d-2", blue="r-1", release="r-0")
        steps += [it.step for it in body.of(DeploymentRequested)]
    assert steps == ["inputs", "look", "up", "shift", "bake", "finish"]
    assert desk.doc("d-2").state == "done"


def test_a_person_is_too_late_once_blue_is_being_stopped() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("baking", "finish")
    heard = desk.roll_back()
    assert not heard.reply.ok
    assert "once it is done" in heard.reply.text
    assert desk.doc().state == "baking"


def test_a_failure_of_code_becomes_a_drivers_task_and_its_landing_brings_green_up_again() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("testing")
    desk.step("failed", reason="`pytest` exited 1: assert 1 == 2")
    [task] = desk.board.tasks()
    assert (desk.doc().state, task.task.agent, task.task.priority) == ("fixing", "driver-1", 0)
    assert "assert 1 == 2" in task.task.what
    desk.finish(task.id)
    assert (desk.doc().state, desk.doc().step, desk.doc().fixes) == ("green_up", "up", 1)
    assert desk.doc().release.endswith("-1")


def test_a_failure_of_configuration_is_the_agents_own_and_keeps_to_infrastructure_files() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("green_up")
    desk.step("failed", reason="it exited 1: no such file", is_configuration=True)
    [task] = desk.board.tasks()
    assert (task.task.agent, task.task.paths) == (DEPLOYER, ("deploy/**",))
    assert task.agent == DEPLOYER


def test_a_fix_that_never_lands_rolls_back_to_development() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("testing")
    desk.step("failed", reason="red")
    desk.person("cancel", task="T-1")
    assert (desk.doc().state, desk.doc().step, desk.doc().next) == ("rolled_back", "roll_back", "development")
    desk.step()
    assert desk.task(desk.doc().task).task.source.kind == "deployment"
    assert desk.task("T-2").task.title.startswith("Make ")


def test_the_same_problem_again_asks_one_rung_higher_each_time() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("testing")
    asked = []
    for _ in range(4):
        desk.step("failed", reason="`pytest` exited 1: 3 failed in 0.2 s")
        task = desk.task(desk.doc().task)
        problem = next((doc for doc in desk.problems() if doc.task == task.id), None)
        asked.append(problem.rungs[-1].name if problem and task.blocker else "driver")
        desk.finish(task.id)
        desk.step(release="r")
    assert asked == ["driver", "senior", "trio", "person"]
    desk.step("failed", reason="`pytest` exited 1: 4 failed in 0.9 s")
    assert desk.doc().state == "rolled_back"


def test_who_was_asked_about_a_problem_is_not_asked_again_when_it_comes_back() -> None:
    """The senior knows nothing, so that all three are asked at once; the next time only a person is left."""
    desk = Deployments()
    desk.deploy()
    desk.until("testing")
    asked = []
    for _ in range(3):
        desk.step("failed", reason="`pytest` exited 1: 3 failed in 0.2 s")
        task = desk.task(desk.doc().task)
        if task.blocker and not task.question:
            for name in reversed(REVIEWERS):  # the senior is asked first
                desk.advise(name, "cannot_say")
        problem = next((doc for doc in desk.problems() if doc.task == task.id), None)
        asked.append([(rung.name, rung.state) for rung in problem.rungs] if problem else [])
        desk.finish(task.id)
        desk.step(release="r")
    climbed = [("canon", "passed"), ("senior", "passed"), ("trio", "passed"), ("person", "asked")]
    assert asked == [[], climbed, climbed]


def test_missing_tests_ask_a_person_and_never_pass_by_absence() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("testing")
    desk.step("missing", reason="unit, health")
    assert desk.doc().state == "testing"
    assert outlook(desk.board) == "people"
    heard = desk.person("answer", question=desk.doc().question, text="go on", by="Ada")
    assert heard.one(DeploymentRequested).waived == ("unit", "health")


def test_acceptance_shows_greens_address_and_the_test_summary() -> None:
    desk = Deployments()
    desk.deploy("production")
    desk.until("green_up", "up")
    desk.step(address="http://127.0.0.1:4242")
    desk.until("eligible", "rehearse")
    desk.step()
    question = desk.question(desk.doc().question)
    assert "http://127.0.0.1:4242" in question.text
    assert "0 of 0 tests passed" in question.text
    assert question.options == ("go on", "roll back")
    assert desk.doc().state == "eligible"
    desk.person("answer", question=question.id, text="go on")
    assert desk.doc().state == "promoting"


def test_a_person_who_does_not_accept_rolls_it_back() -> None:
    desk = Deployments()
    desk.deploy("production")
    desk.until("eligible", "rehearse")
    desk.step()
    desk.person("answer", question=desk.doc().question, text="roll back", by="Ada")
    assert (desk.doc().state, desk.doc().reason) == ("rolled_back", "Ada did not accept it")


def test_the_reviewers_get_requirements_tests_and_address() -> None:
    desk = Deployments(SETTINGS.model_copy(update={"requirements": ("docs/what.md",)}))
    desk.deploy()
    desk.until("testing")
    heard = desk.step()
    asked = heard.of(ReleaseReviewRequested)
    assert len(asked) == 3
    assert asked[0].requirements == ("docs/what.md",)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        (("good", "good", "good"), "eligible"),
        (("good", "good", "unanswered"), "eligible"),
        (("good", "unanswered", "unanswered"), "reviewing"),
        (("good", "good", "fixes"), "fixing"),
        (("good", "good", "major_flaws"), "rolled_back"),
        (("fixes", "major_flaws", "unanswered"), "rolled_back"),
    ],
)
def test_what_three_answers_come_to(answers: tuple[ReleaseAnswer, ...], state: str) -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("reviewing")
    for name, answer in zip(REVIEWERS, answers, strict=True):
        desk.reviews(answer, (name,))
    assert desk.doc().state == state
    assert bool(desk.doc().question) is (state == "reviewing")


def test_a_single_unanswered_question_is_an_abstention() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("reviewing")
    half = ReleaseReview(answers={name: Said(answer="good") for name in QUESTIONS[:-1]})
    for name in REVIEWERS[:2]:
        desk.hear(ReleaseReviewGiven(review=desk.doc().review, said=half), name)
    desk.reviews(who=REVIEWERS[2:])
    assert desk.doc().state == "reviewing"
    assert desk.doc().question


def test_who_does_not_answer_in_time_abstains() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("reviewing")
    desk.reviews(who=REVIEWERS[:2])
    at = next(n for n, timer in enumerate(desk.timers) if timer.draft.body.kind == "timer.fired")
    desk.fire(at)
    assert desk.doc().state == "eligible"


def test_the_time_for_fixing_ends() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("testing")
    desk.step("failed", reason="red")
    desk.finish("T-1")
    desk.wait(minutes=SETTINGS.fix_minutes + 1)
    desk.step()
    desk.step("failed", reason="something else is red")
    assert "time for fixing is over" in desk.doc().reason


def test_a_message_about_nothing_known_is_refused() -> None:
    body = DeploymentChanged(deployment="d-9", number=1, step="up", outcome="passed")
    assert Deployments().hear(body, DEPLOYER).one(MessageRefused)


def test_why_it_was_rolled_back_is_an_issue_until_a_later_one_is_done() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("baking")
    desk.step("inconclusive", reason="queue: nothing was read")
    desk.step()
    [issue] = desk.board.all(IssueDoc)
    assert (issue.title, issue.state) == ("staging: bake: queue: nothing was read", "open")
    assert issue.sightings[0].evidence[0] == "d-1"
    desk.deploy()
    desk.until("done", id="d-2")
    [issue] = desk.board.all(IssueDoc)
    assert (issue.state, issue.closed_because) == ("closed", "d-2 is done in staging")


def test_what_people_take_back_is_no_issue() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("baking")
    desk.roll_back(reason="not today")
    desk.step()
    assert desk.doc().state == "rolled_back"
    assert list(desk.board.all(IssueDoc)) == []
