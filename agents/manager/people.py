"""What people ask of the manager; each command gets one answer."""

from __future__ import annotations

from typing import assert_never

from callboard.agents.manager import (
    abandon,
    answers,
    backlog,
    budget,
    closing,
    dispatch,
    parking,
    promoting,
    seats,
    waiting,
)
from callboard.agents.manager.decision import Decision, newest
from callboard.agents.manager.outlook import outlook
from callboard.bus.board import ENDED, HELD_BY_AGENT, AgentDoc, TaskState
from callboard.bus.caps import RUN, called
from callboard.bus.messages import (
    JOURNAL,
    CommandGiven,
    CommandHandled,
    DiskChanged,
    TaskCancelled,
)

GIVEN_UP_BY_PEOPLE = frozenset({TaskState.FAILED, TaskState.SKIPPED})
"""Ended without success: it holds up promotion until it is done after all, or a person gives it up."""


def command_given(decision: Decision, body: CommandGiven) -> None:
    match body.command:
        case "assign":
            _assign(decision, body)
        case "cancel":
            _cancel(decision, body)
        case "answer":
            _reply(decision, *answers.given(decision, body))
        case "pause":
            _pause(decision, body)
        case "resume":
            _resume(decision, body)
        case "promote":
            promoting.asked(decision)
        case other:
            assert_never(other)


def _reply(decision: Decision, ok: bool, text: str, task: str = "", command: str = "") -> None:
    body = CommandHandled(command=command or decision.cause.id, ok=ok, text=text, task=task)
    decision.send(JOURNAL, body)


def _assign(decision: Decision, body: CommandGiven) -> None:
    spec = body.spec
    if spec is None:
        _reply(decision, False, "assign needs a task")
        return
    if decision.board.get(f"agent:{spec.agent}", AgentDoc).role not in dispatch.WORKERS:
        drivers = sorted(agent.name for agent in decision.board.all(AgentDoc) if agent.role in dispatch.WORKERS)
        _reply(decision, False, f"no driver {spec.agent!r} in the roster; there are: {', '.join(drivers) or 'none'}")
        return
    every = newest(decision.board)
    known = every.get(spec.key)
    if known is not None and known.state not in ENDED:
        _reply(decision, False, f"{known.id} has this title already and is {known.state}; give it another", known.id)
        return
    if unknown := [key for key in spec.depends_on if key not in every or key == spec.key]:
        _reply(decision, False, f"it cannot depend on {', '.join(unknown)}: no other task has that key")
        return
    task = backlog.add_task(decision, spec)
    decision.log("task", "assigned by a person", [f"for {spec.agent}"], task=task)
    _reply(decision, True, f"{task.id} {spec.title}: queued for {spec.agent}", task.id)


def _cancel(decision: Decision, body: CommandGiven) -> None:
    if body.task == RUN:
        _reply(decision, *abandon.cancel_run(decision, body.text))
        return
    task = decision.board.task(body.task)
    if not task.version:
        _reply(decision, False, f"no task {body.task!r} on the board; `callboard status` lists them")
    elif task.state in GIVEN_UP_BY_PEOPLE:
        closing.reopen(decision)
        closing.cancel(decision, task, TaskState.CANCELLED, body.text or "given up by a person")
        _reply(decision, True, f"{task.id} is given up; it no longer counts against the run", task.id)
    elif task.state in ENDED:
        _reply(decision, False, f"{task.id} is {task.state} already", task.id)
    elif task.intent:
        _reply(decision, False, f"{task.id} is landing; a landing that has begun is finished", task.id)
    else:
        if task.state in HELD_BY_AGENT:
            decision.send(task.agent, TaskCancelled(reason="cancelled by a person"), task)
            seats.let_go(decision, task.agent)
        closing.cancel(decision, task, TaskState.CANCELLED, body.text or "cancelled by a person")
        _reply(decision, True, f"{task.id} is cancelled; what was done is kept (`callboard recover`)", task.id)


def _pause(decision: Decision, body: CommandGiven) -> None:
    if decision.board.run.state != "running":
        _reply(decision, False, f"the run is {decision.board.run.state}, so it cannot be paused")
        return
    closing.pause(decision, "operator", body.text or "paused by a person")
    _reply(
        decision, True, "paused: agents finish what they hold, nothing new is handed out; `callboard resume` goes on"
    )


def _resume(decision: Decision, body: CommandGiven) -> None:
    """Go on from a pause; who waits for a provider's limit tries again now, and what callboard.toml allows by now counts."""
    was_paused = decision.board.run.state == "paused"
    raised = budget.limits_told(decision, body.limits) if body.limits else []
    if was_paused and RUN in decision.board.budget.exhausted:
        _reply(decision, False, budget.still_spent(decision.board.budget))
        return
    parked = parking.unpark_all(decision)
    if not (was_paused or parked or raised) and outlook(decision.board) == "people":
        _reply(decision, False, f"nobody paused the run: {waiting.why(decision.board)[1]} (`callboard status`)")
        return
    if not (was_paused or parked or raised):
        _reply(decision, False, f"the run is {decision.board.run.state}, not paused")
        return
    if decision.board.run.state == "paused":
        closing.go_on(decision)
    room = f"{', '.join(map(called, raised))} {'has' if len(raised) == 1 else 'have'} room again" if raised else ""
    again = f"{', '.join(parked)} {'tries' if len(parked) == 1 else 'try'} again now" if parked else ""
    _reply(decision, True, "; ".join(filter(None, ("the run goes on" if was_paused else "", room, again))))


def disk_changed(decision: Decision, body: DiskChanged) -> None:
    """New work waits while there is too little space, and goes on by itself."""
    run = decision.board.run
    free = f"{body.free_bytes / 1_000_000:.0f} MB are free"
    if body.is_low and run.state == "running":
        closing.pause(decision, "disk", f"{free}; the run goes on by itself when there is space")
    elif not body.is_low and run.state == "paused" and run.reason == "disk":
        closing.go_on(decision)
        decision.log("resolved", f"run goes on: {free}")
