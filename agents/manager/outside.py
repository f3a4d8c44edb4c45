"""Runs that are started from outside: how they open, and how people move their phases."""

from __future__ import annotations

from typing import assert_never

from callboard.agents.manager import backlog, budget, closing, dispatch, seats, setbacks
from callboard.agents.manager.decision import MANAGER, Decision, hands_out
from callboard.agents.manager.outside_seats import phase_of, put_phase
from callboard.agents.manager.phases import MOVES, NAMES, is_legal
from callboard.bus.board import HELD_BY_AGENT, BriefingDoc, OutsideDoc, TaskDoc, TaskState
from callboard.bus.caps import RUN
from callboard.bus.categories import category_name
from callboard.bus.messages import JOURNAL, CommandHandled, PhaseMoved, RunOpened, TaskCancelled
from callboard.bus.outside import PhaseAsked, PhaseDoc
from callboard.bus.outside_messages import PhaseMove
from callboard.bus.task import Note, Source, TaskSpec


def opened(decision: Decision, body: RunOpened) -> None:
    """The run's seats, caps and phases. It is asked for once; a repeat after a crash changes nothing."""
    if decision.board.get("outside", OutsideDoc).version:
        reply(decision, False, "the run has been opened already")
        return
    drivers = tuple(dict.fromkeys(phase.driver for phase in body.phases if phase.driver))
    told = {"run_scope": body.run_scope, "max_phases": body.max_phases, "tiers": body.tiers, "drivers": drivers}
    decision.put("outside", OutsideDoc(builder=body.builder, auditor=body.auditor), **told)
    given = [(body.builder, "driver", ""), (body.auditor, "reviewer", "senior"), (MANAGER, "manager", "")]
    for name, role, seat in (*given, *((driver, "driver", "") for driver in drivers)):
        decision.put_agent(name, role=role, seat=seat, since=decision.now)
    for briefing in body.briefings:
        decision.put(f"briefing:{briefing.agent}", BriefingDoc(briefing=briefing))
    budget.limits_told(decision, body.limits)
    if decision.board.run.state == "created":
        decision.put_run(state="running")
    for asked in sorted(body.phases, key=lambda phase: phase.index):
        add_phase(decision, asked)
    decision.log("startup", "a run from outside is opened", [f"{len(body.phases)} phases, for {body.builder}"])
    reply(decision, True, f"run {decision.board.run.id} is open, with {len(body.phases)} phases")


def add_phase(decision: Decision, asked: PhaseAsked, *, suggested_in: str = "") -> TaskDoc:
    """A phase and its task."""
    outside = decision.board.get("outside", OutsideDoc)
    said = {"Complexity": asked.complexity, "Builder mode": asked.builder_mode, "Category": asked.task_category}
    spec = TaskSpec(
        key=f"{decision.board.run.id}/{asked.id}",
        title=asked.name,
        what=asked.description,
        order=asked.index,
        tier=asked.tier,
        category=category_name(asked.task_category),
        agent=asked.driver or outside.builder,
        fields={name: text for name, text in said.items() if text},
        source=Source(kind="person"),
    )
    task = backlog.add_task(decision, spec)
    decision.put(f"phase:{task.id}", PhaseDoc(task=task.id, asked=asked, suggested_in=suggested_in))
    return task


def moved(decision: Decision, body: PhaseMoved) -> None:
    """Move a phase as far as people may; what it says of itself is kept, and believed by nobody."""
    task = decision.board.task(decision.cause.task)
    doc = phase_of(decision.board, task)
    if doc is None:
        reply(decision, False, f"{decision.cause.task or 'no task'} is no phase of this run")
        return
    was = NAMES[task.state]
    # a blocked phase goes back with the answer to what blocks it, not by a word
    if not is_legal(was, body.state) or (task.state is TaskState.BLOCKED and body.state == "QUEUED"):
        reply(decision, False, _why_not(task, doc, was, body.state), task)
        return
    if driver_at_it(doc, task) and body.state != was and body.state in ("EXECUTING", "QUEUED"):
        reply(decision, False, f"{doc.phase.id} is {was}; {doc.phase.driver} of the roster takes it by itself", task)
        return
    if body.state == "EXECUTING" != was and (why := why_no_work(decision, task)):
        reply(decision, False, why, task)
        return
    if task.intent:
        reply(decision, False, f"{doc.phase.id} is landing; a landing that has begun is finished", task)
        return
    put_phase(decision, doc, counts={**doc.counts, **body.counts})
    if was != body.state:
        _move(decision, task, body.state)
    reply(decision, True, f"{doc.phase.id} is {body.state}", task)


def _why_not(task: TaskDoc, doc: PhaseDoc, was: PhaseMove, to: PhaseMove) -> str:
    can = ", ".join(sorted(MOVES[was])) or "nothing else"
    blocked = f" ({task.reason})" if task.state is TaskState.BLOCKED and task.reason else ""
    return f"{doc.phase.id} is {was}{blocked} and cannot be {to}; people can move it to {can}"


def driver_at_it(doc: PhaseDoc, task: TaskDoc) -> bool:
    """Whether a driver of the launched roster has it, or takes it as soon as it can."""
    return bool(doc.phase.driver) and task.state in (*HELD_BY_AGENT, *dispatch.READY)


def _move(decision: Decision, task: TaskDoc, to: PhaseMove) -> None:
    if task.state in HELD_BY_AGENT and task.agent in decision.board.get("outside", OutsideDoc).drivers:
        decision.send(task.agent, TaskCancelled(reason=f"a person moved it to {to}"), task)
        seats.let_go(decision, task.agent)
    match to:
        case "EXECUTING":
            take(decision, task, decision.board.run.head)
        case "QUEUED":
            closing.reopen(decision)
            again = {"agent": "", "spent": 0} if task.state is not TaskState.WORKING else {"agent": ""}
            decision.put_task(task, state=TaskState.QUEUED, queued_at=decision.now, **again)
        case "FAILED":
            setbacks.close_questions(decision, task, "a person gave it up as failed")
            note = Note(source="person", text="given up as failed")
            decision.log("task", "failed", ["a person says so"], task=task)
            given_up = {"reason": note.text, "notes": (*task.notes, note), "question": "", "blocker": ""}
            decision.put_task(task, state=TaskState.FAILED, **given_up)
        case "SKIPPED":
            closing.reopen(decision)
            closing.cancel(decision, task, TaskState.CANCELLED, "skipped by a person")
        case "GATE" | "CI_RUNNING" | "COMPLETE":
            pass
        case other:
            assert_never(other)


def why_no_work(decision: Decision, task: TaskDoc) -> str:
    """Why nobody may begin on a phase now; "" when somebody may."""
    board = decision.board
    if not hands_out(board):
        reason = f" ({board.run.reason}): {board.run.detail}" if board.run.reason else ""
        return f"the run is {board.run.state}{reason}"
    if RUN in board.budget.exhausted or dispatch.is_spent(board, task) or not board.has_attempt(RUN):
        return "its budget is spent; a person has to raise it"
    return ""


def take(decision: Decision, task: TaskDoc, base: str) -> TaskDoc:
    """The outside builder begins an attempt. Every patch is against the integration branch, so no earlier one is its start."""
    builder = decision.board.get("outside", OutsideDoc).builder
    task = decision.put_task(
        task,
        state=TaskState.WORKING,
        agent=builder,
        attempt=task.attempt + 1,
        base=base,
        pin="",
        head="",
        merging_at=None,
        verdicts={},
    )
    dispatch.count_attempt(decision, builder, task)
    decision.log("task", f"taken by {builder}, attempt {task.attempt}", task=task)
    return task


def reply(decision: Decision, ok: bool, text: str, task: TaskDoc | None = None) -> None:
    body = CommandHandled(command=decision.cause.id, ok=ok, text=text, task=task.id if task else "")
    decision.send(JOURNAL, body)
