"""How tasks and runs end, and what holds an end up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from callboard.agents.manager import dispatch, failure, requests, setbacks, summary
from callboard.agents.manager.decision import Decision, hands_out, newest, open_tasks
from callboard.agents.manager.deploy_overtaken import overtaken
from callboard.bus.board import HELD_BY_AGENT, Board, TaskDoc, TaskState
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.messages import TaskClosed, TimerFired


def done(decision: Decision, task: TaskDoc, reason: str, *, is_told: bool = False) -> None:
    """The task is finished; standing work comes back after a while.

    Args:
        is_told: Its agent and the log know already.
    """
    if not is_told:
        decision.send(task.agent, TaskClosed(state="done", reason=reason), task)
        decision.log("merge", "done", [reason], task=task)
    if _comes_again(decision, task):
        every = decision.policy.standing_every
        then = decision.now + every
        afresh = {"spent": 0, "notes": (), "pin": "", "base": "", "not_before": then, "queued_at": then, "rests": True}
        reason, rounds = f"standing: {reason}", task.rounds + 1
        task = decision.put_task(task, state=TaskState.QUEUED, reason=reason, rounds=rounds, **afresh)
        decision.after(every, TimerFired(about="standing", subject=round_of(task)), task, key=rest_of(task))
        return
    decision.put_task(task, state=TaskState.DONE, reason=reason)


def round_of(task: TaskDoc) -> str:
    """What its timer is about: one of an earlier round says nothing about the next."""
    return f"{task.id} {task.rounds}"


def rest_of(task: TaskDoc) -> str:
    """The key of the timer that ends its rest."""
    return f"standing {task.id}"


def cancel(
    decision: Decision, task: TaskDoc, state: Literal[TaskState.CANCELLED, TaskState.SKIPPED], reason: str
) -> TaskDoc:
    """End it undone. An agent that works on it is told by whoever takes it away."""
    setbacks.close_questions(decision, task, f"{task.id} is {state.value}: {reason}")
    decision.log("task", state.value, [reason], task=task)
    if task.agent and task.state not in HELD_BY_AGENT:
        decision.send(task.agent, TaskClosed(state=state.value, reason=reason), task)
    if task.rests:
        decision.cancel(rest_of(task))
    return decision.put_task(task, state=state, reason=reason, question="", blocker="", rests=False)


def reopen(decision: Decision) -> None:
    """New work brings a run back that had ended but was not promoted yet."""
    if decision.board.run.state in ("succeeded", "failed"):
        go_on(decision)


def go_on(decision: Decision) -> None:
    """Leave the pause, and ask again for what could not be finished before it."""
    decision.put_run(state="running", reason="", detail="")
    requests.ask_again(decision)


def settle_skips(decision: Decision) -> None:
    """A task whose dependency ended without being done cannot be done either, until that one comes again."""
    while task := next(_changed_by_dependencies(decision.board), None):
        lost = _lost_dependencies(task, newest(decision.board))
        if lost:
            cancel(decision, task, TaskState.SKIPPED, f"it depends on {lost[0]}, which was not done")
        else:
            reopen(decision)
            decision.put_task(task, state=TaskState.QUEUED, queued_at=decision.now)


def _changed_by_dependencies(board: Board) -> Iterator[TaskDoc]:
    known = newest(board)
    for task in known.values():
        if not task.task.depends_on or task.state not in (*dispatch.READY, TaskState.SKIPPED):
            continue
        if bool(_lost_dependencies(task, known)) is not (task.state is TaskState.SKIPPED):
            yield task


def _lost_dependencies(task: TaskDoc, known: Mapping[str, TaskDoc]) -> list[str]:
    keys = [key for key in task.task.depends_on if key in known and key not in task.waived]
    return [key for key in keys if known[key].state in _ENDED_NOT_DONE and not dispatch.was_done(known[key])]


def end_run(decision: Decision) -> None:
    """The run ends when nothing but standing work is open; what came again counts as it ended last."""
    run = decision.board.run
    deployments = tuple(decision.board.all(DeploymentDoc))
    if (
        run.state != "running"
        or not (newest(decision.board) or deployments)
        or not all(doc.is_over for doc in deployments)
        or any(not task.task.standing for task in open_tasks(decision.board))
    ):
        return
    lost = not_done(decision.board)
    if lost:
        detail = f"not done: {', '.join(task.id for task in lost)}"
        decision.put_run(state="failed", reason=failure.why_failed(decision.board, lost), detail=detail)
    else:
        decision.put_run(state="succeeded", reason="", detail="")
    decision.log("shutdown", f"run {decision.board.run.state}", summary.facts(decision.board))


def not_done(board: Board) -> list[TaskDoc]:
    """Tasks that ended without success, standing ones and those that nobody needs any more apart: while there are any, the run
    has not succeeded."""
    states = (TaskState.FAILED, TaskState.SKIPPED)
    lost = [task for task in newest(board).values() if task.state in states and not task.task.standing]
    moot = overtaken(board) if lost else {}
    return [task for task in lost if task.id not in moot]


def pause(decision: Decision, reason: str, detail: str) -> None:
    """Hand nothing out until a person, or the disk, says so. A run that has ended stays ended."""
    if decision.board.run.state != "paused" and not hands_out(decision.board):
        return
    decision.put_run(state="paused", reason=reason, detail=detail)
    decision.log("question", f"run paused: {reason}", [detail])


def _comes_again(decision: Decision, task: TaskDoc) -> bool:
    until = task.task.until
    return task.task.standing and (until is None or (decision.now + decision.policy.standing_every).date() <= until)


_ENDED_NOT_DONE = frozenset({TaskState.FAILED, TaskState.CANCELLED, TaskState.SKIPPED})
