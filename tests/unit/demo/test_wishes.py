"""What the demo's person asks for, and when."""

from __future__ import annotations

import pytest
from boards import run_doc, task_doc
from demo_run import deployment_doc

from callboard.bus.board import Board, TaskDoc, TaskState
from callboard.bus.deployments import DeploymentDoc, DeploymentState
from callboard.demo.wishes import BURSTS, serves, wish

AnyDoc = TaskDoc | DeploymentDoc
HEALTH = task_doc(1, "Health", TaskState.DONE)
CHANGE = task_doc(2, "Bursts", TaskState.DONE, key=BURSTS.key)


def looks(*docs: AnyDoc, **run: object) -> str:
    """The key of what they wish."""
    wanted = wish(board(*docs, **run))
    return wanted.key if wanted else ""


def board(*docs: AnyDoc, **run: object) -> Board:
    named = {f"{'deployment' if isinstance(doc, DeploymentDoc) else 'task'}:{doc.id}": doc for doc in docs}
    return Board({"run": run_doc(**run), **named})


def test_nothing_is_deployed_before_every_task_is_done() -> None:
    assert looks() == ""
    assert looks(HEALTH, task_doc(3, "Names", TaskState.REVIEW)) == ""
    assert looks(HEALTH, awaits_directions=True) == ""
    assert looks(HEALTH) == "demo/deploy 1"


def test_the_change_is_assigned_beside_the_first_deployment() -> None:
    assert looks(HEALTH, deployment_doc(1, "testing")) == "demo/assign"
    assert looks(HEALTH, CHANGE, deployment_doc(1, "testing")) == ""


def test_the_change_is_deployed_once_it_has_landed_and_the_first_release_serves() -> None:
    landing = CHANGE.model_copy(update={"state": TaskState.MERGING})
    assert looks(HEALTH, landing, deployment_doc(1, "done")) == ""
    assert looks(HEALTH, CHANGE, deployment_doc(1, "baking", step="bake")) == ""
    assert looks(HEALTH, CHANGE, deployment_doc(1, "done")) == "demo/deploy 2"


def test_what_mends_it_is_deployed_once_it_has_landed() -> None:
    docs = (HEALTH, CHANGE, deployment_doc(1, "done"))
    mending = task_doc(3, "Mend", TaskState.WORKING)
    assert looks(*docs, deployment_doc(2, "rolled_back", step="roll_back")) == ""
    assert looks(*docs, mending, deployment_doc(2, "rolled_back")) == ""
    mended = mending.model_copy(update={"state": TaskState.DONE})
    assert looks(*docs, mended, deployment_doc(2, "rolled_back")) == "demo/deploy 3"
    assert looks(*docs, mended, deployment_doc(2, "rolled_back"), deployment_doc(3, "done")) == ""


@pytest.mark.parametrize("states", [("rolled_back",), ("done", "done")])
def test_nothing_more_is_asked_for_once_one_has_not_gone_as_it_should(states: tuple[DeploymentState, ...]) -> None:
    docs = [deployment_doc(number, state) for number, state in enumerate(states, start=1)]
    assert looks(HEALTH, CHANGE, *docs) == ""


def test_visitors_come_as_soon_as_a_release_has_the_traffic() -> None:
    assert not serves(board(HEALTH, deployment_doc(1, "reviewing")))
    assert serves(board(HEALTH, deployment_doc(1, "baking")))
