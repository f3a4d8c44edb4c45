"""Notes of a deployment that is done land as everything does, and nobody has to deploy them."""

from __future__ import annotations

import pytest
from boards import BASE, run_doc, task_doc
from deploy_desk import DEPLOYER, SETTINGS, Deployments
from desk_board import spec

from callboard.agents.manager.deploy_notes import to_deploy
from callboard.bus.board import Board, Doc, IntentDoc, TaskState
from callboard.bus.messages import DeploymentRequested, DirectionFile, DirectionsRead, GateRequested
from callboard.bus.task import Briefing, Source

NOTED = SETTINGS.model_copy(update={"notes": "docs/deployments"})
FILE = "docs/deployments/staging-r-d-1.md"


def done(**settings: object) -> Deployments:
    desk = Deployments(NOTED.model_copy(update=settings))
    desk.deploy()
    desk.until("done")
    return desk


def test_what_is_done_is_noted_by_a_task_of_the_deployment_agent_that_goes_through_the_line() -> None:
    desk = done()
    [task] = desk.board.tasks()
    assert (desk.doc().notes, desk.run.state) == (task.id, "running")
    assert (task.agent, task.task.paths) == (DEPLOYER, (FILE,))
    assert task.task.fields["Notes"] == FILE
    text = task.task.fields["Text"]
    assert text.startswith(f"# {desk.doc().release} in staging: done\n")
    assert text.count("finish: passed") == 1
    desk.to_landed(task.id)
    assert (desk.run.state, desk.task(task.id).landed) == ("succeeded", desk.run.head)


def test_notes_alone_do_not_make_another_commit_to_deploy() -> None:
    desk = done()
    deployed = desk.doc().commit
    desk.to_landed("T-1")
    assert desk.run.head != deployed
    assert desk.deploy("production").one(DeploymentRequested).commit == deployed
    desk.roll_back("production")
    desk.deploy("staging")
    desk.until("done", id="d-3")
    desk.to_landed("T-2")
    assert desk.deploy("staging").one(DeploymentRequested).commit == deployed


@pytest.mark.parametrize(("settings", "tasks"), [({"notes": ""}, 0), ({"docs": ("README.md",)}, 1)])
def test_people_say_whether_they_land_and_which_documents_follow(settings: dict[str, object], tasks: int) -> None:
    desk = done(**settings)
    found = desk.board.tasks()
    assert len(found) == tasks
    assert [task.task.paths for task in found] == [(FILE, "README.md")] * tasks


def test_what_a_direction_demands_of_its_tasks_is_not_asked_of_notes() -> None:
    desk = Deployments(NOTED)
    briefing = Briefing(agent=DEPLOYER, version="1", path="directions/deployment.md", tools=("metrics",))
    own = spec("Look", DEPLOYER)
    desk.hear(DirectionsRead(files=(DirectionFile(briefing=briefing, tasks=(own,)),)), "manager")
    assert desk.hand_in("T-1", None).one(GateRequested).tools == ("metrics",)
    desk.gate("T-1")
    desk.approve("T-1")
    desk.deploy()
    desk.until("done")
    assert desk.hand_in("T-2").one(GateRequested).tools == ()


def landing(number: int, old: str, new: str, *tasks: str) -> dict[str, Doc]:
    values = {"id": f"I-{number}", "old": old, "new": new, "tasks": tasks, "state": "finished", "version": 1}
    return {f"intent:I-{number}": IntentDoc.model_validate(values)}


NOTES = task_doc(
    1, "Notes", TaskState.DONE, source=Source(kind="deployment"), fields={"Notes": FILE, "Text": "done"}, agent=DEPLOYER
)
CODE = task_doc(2, "Code", TaskState.DONE, fields={"Notes": "a bold field that a person wrote"})


@pytest.mark.parametrize(
    ("landings", "head", "found"),
    [
        ((), BASE, BASE),
        ((("T-1",),), "1", BASE),
        ((("T-2",),), "1", "1"),
        ((("T-1", "T-2"),), "1", "1"),
        ((("T-2",), ("T-1",), ("T-1",)), "3", "1"),
        ((("T-1",), ("T-2",)), "2", "2"),
    ],
)
def test_what_is_deployed_by_itself_is_the_last_landing_that_was_more_than_notes(
    landings: tuple[tuple[str, ...], ...], head: str, found: str
) -> None:
    docs: dict[str, Doc] = {"run": run_doc(head=head), "task:T-1": NOTES, "task:T-2": CODE}
    for n, tasks in enumerate(landings, 1):
        docs |= landing(n, str(n - 1) if n > 1 else BASE, str(n), *tasks)
    assert to_deploy(Board(docs)) == found
