"""What the demo's person asks for once the roster has done its tasks, read off the board; pure.

The first release is what has landed. Then comes a change whose fault no test and no reviewer sees: it is deployed, rolled
back by its error rate, and becomes a task. What mends it is deployed last.
"""

from __future__ import annotations

from dataclasses import dataclass

from callboard.bus.board import Board, TaskState
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.messages import Body, CommandGiven, DeploymentCommanded
from callboard.bus.task import Source, TaskSpec

PERSON = "a person"
BURSTS = TaskSpec(
    key="driver-2/bursts",
    title="Take at most 8 links at a time",
    what="`POST /links` works on at most 8 requests at a time; what comes beyond is answered 503 at once, so that a burst "
    "of links cannot keep those waiting who follow one",
    evidence="tests of both",
    priority=1,
    agent="driver-2",
    paths=("app/routes/create.py", "tests/test_bursts.py"),
    checks=("python3 -m unittest -q tests.test_bursts",),
    source=Source(kind="person"),
)
STATES = ("done", "rolled_back", "done")
"""How the three deployments end."""


@dataclass(frozen=True, slots=True)
class Wish:
    said: str
    """What the person does, for whoever looks on."""
    body: Body
    key: str
    """The same wish is carried out once."""


def wish(board: Board) -> Wish | None:
    """What they ask for now; None = they wait for something, or have all that they wanted."""
    docs = deployments(board)
    if not docs:
        return _deploy(1) if _all_done(board) else None
    if not any(task.task.key == BURSTS.key for task in board.tasks()):
        body = CommandGiven(command="assign", spec=BURSTS)
        return Wish(f'assigns driver-2 "{BURSTS.title}"', body, "demo/assign")
    has_gone_so = all(doc.is_over and doc.state == state for doc, state in zip(docs, STATES, strict=False))
    more = len(docs) < len(STATES) and has_gone_so and _all_done(board)
    return _deploy(len(docs) + 1) if more else None


def deployments(board: Board) -> list[DeploymentDoc]:
    return list(board.all(DeploymentDoc))


def serves(board: Board) -> bool:
    """Whether there is a service to use: the first release has the traffic as soon as it bakes."""
    return any(doc.state in ("baking", "done") for doc in deployments(board))


def _all_done(board: Board) -> bool:
    tasks = board.tasks()
    return bool(tasks) and not board.run.awaits_directions and all(task.state is TaskState.DONE for task in tasks)


def _deploy(number: int) -> Wish:
    return Wish("deploys what has landed", DeploymentCommanded(command="deploy", by=PERSON), f"demo/deploy {number}")
