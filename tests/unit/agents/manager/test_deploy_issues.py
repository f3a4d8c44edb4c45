"""Why a deployment was rolled back is an issue of its environment, unless a person wanted it so; and a way back that fails is said."""

from __future__ import annotations

from deploy_desk import SETTINGS, Deployments

from callboard.agents.deployment.settings import EnvironmentSettings
from callboard.bus.issues import IssueDoc


def test_what_is_done_in_another_environment_closes_no_issue() -> None:
    environments = {"staging": EnvironmentSettings(port=8081), "production": EnvironmentSettings()}
    desk = Deployments(SETTINGS.model_copy(update={"environments": environments}))
    desk.deploy()
    desk.until("baking")
    desk.step("inconclusive", reason="queue: nothing was read")
    desk.step()
    desk.deploy("production")
    desk.until("done", id="d-2")
    assert [(one.title, one.state) for one in desk.board.all(IssueDoc)] == [
        ("staging: bake: queue: nothing was read", "open")
    ]


def test_what_a_person_does_not_accept_is_no_issue() -> None:
    desk = Deployments()
    desk.deploy("production")
    desk.until("eligible")
    desk.step()
    desk.person("answer", question=desk.doc().question, text="roll back")
    desk.step()
    assert (desk.doc().state, desk.doc().is_over) == ("rolled_back", True)
    assert list(desk.board.all(IssueDoc)) == []


def test_a_switch_that_cannot_be_put_back_is_tried_three_times_and_then_said() -> None:
    desk = Deployments()
    desk.deploy()
    desk.until("baking")
    desk.step("failed", reason="health: it flaps")
    for _ in range(2):
        desk.step("failed", reason="HAProxy hangs")
        assert (desk.doc().step, desk.doc().is_over) == ("roll_back", False)
    desk.step("failed", reason="HAProxy hangs")
    assert desk.doc().is_over
    assert desk.doc().reason == "bake: health: it flaps; and Green could not be taken away: HAProxy hangs"
