"""What keeps a task from going straight on: blockers, questions, failed attempts, work that is sent back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from callboard.agents.manager import questions, seats
from callboard.agents.manager.decision import TOOLS_RULE, Decision
from callboard.bus.board import BlockerDoc, QuestionDoc, TaskDoc, TaskState
from callboard.bus.caps import task_scope
from callboard.bus.messages import (
    AttemptFailed,
    BlockerRaised,
    ChangesRequested,
    HandInRefused,
    PinRequested,
    QuestionAsked,
    TaskClosed,
)
from callboard.bus.task import Finding, Note
from callboard.feedback.facts import finding_fact

CLIMB = ("agent", "stuck")
"""Causes of blockers that others than people may know an answer to."""


def blocker_raised(decision: Decision, task: TaskDoc, body: BlockerRaised) -> None:
    """The task parks with its work; the agent is free for its next one at once."""
    task = keep_work(decision, task, body.head)
    block(decision, task, what=body.what, tried=body.tried, needs=body.needs, severity=body.severity)


def question_asked(decision: Decision, task: TaskDoc, body: QuestionAsked) -> None:
    task = keep_work(decision, task, body.head)
    is_offered = not body.options or body.default in body.options
    within = timedelta(minutes=body.within_minutes) if body.within_minutes else None
    question = questions.ask(
        decision, body.text, task=task, options=body.options, default=body.default if is_offered else "", within=within
    )
    decision.put_task(
        task, state=TaskState.BLOCKED, reason=f"waits for {question.id}: {body.text}", question=question.id
    )


def attempt_failed(decision: Decision, task: TaskDoc, body: AttemptFailed) -> None:
    task = keep_work(decision, task, body.head)
    source = "environment" if body.cause == "environment" else "driver"
    spend_attempt(decision, task, Note(source=source, text=body.reason), f"the attempt failed: {body.reason}")


def send_back(
    decision: Decision,
    task: TaskDoc,
    source: Literal["gate", "review", "landing"],
    summary: str,
    findings: Sequence[Finding] = (),
    detail: str = "",
) -> None:
    """Gate, review or landing did not let it pass: the driver hears why, and the next attempt starts from its work."""
    told = ChangesRequested(source=source, summary=summary, findings=tuple(findings), detail=detail)
    decision.send(task.agent, told, task)
    text = "\n".join([summary, *(finding_fact(finding) for finding in findings), detail]).strip()
    task = decision.put_task(task, pin=task.pin if source == "landing" else task.head)
    spend_attempt(decision, task, Note(source=source, text=text), summary)


def refuse(decision: Decision, task: TaskDoc, rule: str, path: str, way_out: str) -> None:
    """The next attempt knows the rule. What must not be imported is left out of it; what only was not called for is not
    the work's fault, so that one goes on from it."""
    decision.put_run(intake_refusals=decision.board.run.intake_refusals + 1)
    decision.send(task.agent, HandInRefused(rule=rule, path=path, way_out=way_out), task)
    summary = f"intake refused {f'`{path}`' if path else 'it'} (rule {rule}): {way_out}"
    decision.log("evidence", "intake refused it", [summary], task=task)
    task = decision.put_task(task, pin=task.head if rule == TOOLS_RULE else "", head="")
    spend_attempt(decision, task, Note(source="intake", text=summary), summary)


def spend_attempt(decision: Decision, task: TaskDoc, note: Note, summary: str) -> None:
    """Count a failed attempt; the task comes back, or has failed when none is left."""
    spent = task.spent + 1
    most = decision.board.caps(task_scope(task.id)).attempts
    left = most - spent
    state = TaskState.CHANGES_REQUESTED if left > 0 else TaskState.FAILED
    reason = summary if left > 0 else f"{most} attempts spent; the last: {summary}"
    decision.put_task(task, state=state, spent=spent, reason=reason, notes=(*task.notes, note))
    if state is TaskState.FAILED:
        decision.send(task.agent, TaskClosed(state="failed", reason=reason), task)
        decision.log("task", "failed", [reason], task=task)


def block(
    decision: Decision,
    task: TaskDoc,
    *,
    what: str,
    tried: str = "",
    needs: str = "",
    severity: Literal["minor", "major"] = "major",
    cause: Literal["agent", "stuck", "import", "review"] = "agent",
) -> None:
    """Park the task behind a blocker. What an agent met climbs the ladder (ladder.py); what only a person can put right is
    asked at once."""
    run = decision.board.run
    climbs = cause in CLIMB
    text = f"{task.id} is blocked: {what}" + (f" It needs: {needs}" if needs else "")
    question = "" if climbs else questions.ask(decision, text, task=task).id
    blocker = BlockerDoc(
        id=f"B-{run.next_blocker}",
        task=task.id,
        agent=task.agent or task.task.agent,
        what=what,
        tried=tried,
        needs=needs,
        severity=severity,
        raised_at=decision.now,
        question=question,
        cause=cause,
    )
    decision.put_run(next_blocker=run.next_blocker + 1)
    decision.put(f"blocker:{blocker.id}", blocker)
    decision.put_task(task, state=TaskState.BLOCKED, reason=what, blocker=blocker.id, question=question)
    if not climbs:
        decision.log(
            "blocker", f"{blocker.id}, answered by {question}", [f"blocks: {what}", f"needs: {needs}"], task=task
        )


def close_questions(decision: Decision, task: TaskDoc, why: str) -> None:
    """What was asked about the task needs no answer any more."""
    for question in decision.board.all(QuestionDoc):
        if question.task == task.id and question.state == "open":
            questions.close(decision, question, why)
    for blocker in decision.board.all(BlockerDoc):
        if blocker.task == task.id and blocker.state == "open":
            decision.put(f"blocker:{blocker.id}", blocker.model_copy(update={"state": "closed"}))


def keep_work(decision: Decision, task: TaskDoc, head: str | None) -> TaskDoc:
    """Free the agent and keep what it has so far."""
    seats.let_go(decision, task.agent)
    if head is None:
        return task
    decision.send("gate", PinRequested(agent=task.agent, base=task.base, commit=head), task)
    return decision.put_task(task, pin=head)
