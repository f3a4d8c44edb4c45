"""Tasks that deployments make: a change that was made before mends nothing, and a later success leaves nobody guilty."""

from __future__ import annotations

import pytest
from deploy_desk import Deployments
from desk_board import sha

from callboard.bus.board import TaskState
from callboard.bus.messages import DeploymentRequested, EvidenceSubmitted


def land(desk: Deployments, id: str, diff: str) -> None:
    """The task's change lands; whatever blocks it, a person answers."""
    if desk.task(id).state is TaskState.BLOCKED:
        desk.person("answer", question=desk.task(id).blocker, text="do it so")
    desk.hear(EvidenceSubmitted(head=sha(f"{id} work"), diff=diff, notes="done"), desk.task(id).agent, id)
    desk.gate(id)
    desk.approve(id)
    desk.prepare(id)
    desk.land(id)


@pytest.mark.parametrize(("second", "state", "asked"), [("change", "fixing", 0), ("another", "green_up", 1)])
def test_a_fix_that_was_made_before_is_not_tried_and_the_next_one_is_asked(second: str, state: str, asked: int) -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("testing")
    desk.step("failed", reason="`pytest` exited 1: one is red")
    land(desk, "T-1", "change")
    desk.until("testing", "test")
    desk.step("failed", reason="`pytest` exited 1: another is red")
    before = desk.doc().number
    land(desk, "T-2", second)
    assert (desk.doc().state, desk.doc().number - before) == (state, asked)
    assert desk.doc().commit == desk.run.head
    if state == "fixing":
        assert desk.doc().history[-1].event == "stuck"
        assert (desk.doc().task, desk.task("T-3").state) == ("T-3", TaskState.BLOCKED)


def rolled_back() -> Deployments:
    """The reviewers found major flaws in staging: T-1 is to make it fit."""
    desk = Deployments()
    desk.deploy()
    desk.until("reviewing")
    desk.reviews("major_flaws")
    desk.step()
    return desk


def failed() -> Deployments:
    """And nobody could."""
    desk = rolled_back()
    for _ in range(9):
        if desk.task("T-1").state is TaskState.FAILED:
            break
        desk.fail("T-1")
    assert (desk.task("T-1").state, desk.run.state) == (TaskState.FAILED, "failed")
    return desk


def test_a_task_that_failed_does_not_fail_the_run_beside_a_later_deployment_that_is_done() -> None:
    desk = failed()
    assert desk.deploy().reply.ok
    desk.until("done", id="d-2")
    assert (desk.task("T-1").state, desk.run.state) == (TaskState.FAILED, "succeeded")


@pytest.mark.parametrize("later", ["production", "restore"])
def test_another_environment_or_an_earlier_release_mends_nothing(later: str) -> None:
    desk = failed()
    if later == "restore":
        desk.roll_back("staging")
    else:
        desk.deploy(later)
    while not desk.doc("d-2").is_over:
        if desk.doc("d-2").question:
            desk.person("answer", question=desk.doc("d-2").question, text="go on")
        elif desk.doc("d-2").state == "reviewing":
            desk.reviews(id="d-2")
        else:
            desk.step(id="d-2", blue="r-0", release="r-0")
    assert (desk.doc("d-2").state, desk.run.state) == ("done", "failed")


def test_a_task_that_nobody_has_begun_is_cancelled_once_it_is_needed_no_more() -> None:
    desk = rolled_back()
    desk.blocked("T-1", "which version?")
    desk.deploy()
    desk.until("done", id="d-2")
    assert desk.task("T-1").state is TaskState.CANCELLED
    assert "d-2 is done there" in desk.task("T-1").reason
    assert desk.run.state == "succeeded"


def test_a_task_at_work_goes_on_beside_the_later_deployment() -> None:
    desk = rolled_back()
    assert desk.task("T-1").state is TaskState.ASSIGNED
    heard = desk.deploy()
    assert heard.one(DeploymentRequested).deployment == "d-2"
    desk.until("done", id="d-2")
    assert desk.task("T-1").state is TaskState.ASSIGNED
    assert desk.run.state == "running"
