"""A person gives the whole run up. Pure."""

from __future__ import annotations

from callboard.agents.manager import closing, seats
from callboard.agents.manager.decision import Decision, open_tasks
from callboard.bus.board import HELD_BY_AGENT, IntentDoc, TaskState
from callboard.bus.messages import TaskCancelled


def cancel_run(decision: Decision, reason: str) -> tuple[bool, str]:
    """Give the run up: nothing of it goes on, what landed and what was kept stays.

    Returns:
        Whether it was done, and what the person is told.
    """
    run = decision.board.run
    if run.state not in ("created", "running", "paused"):
        return False, f"the run is {run.state} already"
    if landing := [id for intent in decision.board.all(IntentDoc) if intent.state == "open" for id in intent.tasks]:
        return False, f"{', '.join(landing)} is landing; a landing that has begun is finished, then cancel again"
    said = reason or "the run was given up by a person"
    tasks = open_tasks(decision.board)
    for task in tasks:
        if task.state in HELD_BY_AGENT:
            decision.send(task.agent, TaskCancelled(reason=said), task)
            seats.let_go(decision, task.agent)
        closing.cancel(decision, decision.board.task(task.id), TaskState.CANCELLED, said)
    decision.put_run(state="cancelled", reason="operator", detail=said)
    decision.log("shutdown", "run cancelled", [said, f"{len(tasks)} tasks were open"])
    return True, f"run {run.id} is cancelled; what was done is kept (`callboard recover`)"
