"""What keeps a task from going straight on: blockers, questions, failed attempts, work that is sent back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from callboard.agents.manager import questions, seats, tracks
from callboard.agents.manager.decision import TOOLS_RULE, Decision
from callboard.agents.manager.outside_seats import outside_of
from callboard.bus.board import BlockerDoc, QuestionDoc, TaskDoc, TaskState
from callboard.bus.caps import task_scope
from callboard.bus.messages import (
    AttemptFailed,
    AttemptStopped,
    BlockerRaised,
    ChangesRequested,
    HandInRefused,
    PinRequested,
    QuestionAsked,
    TaskCancelled,
    TaskClosed,
)
from callboard.bus.task import Finding, Note
from callboard.feedback.facts import finding_fact

CLIMB = ("agent", "stuck")
"""Causes of blockers that others than people may know an answer to."""
AGAIN = "again"
"""A person's answer that has something reviewed once more."""


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


def same_again(decision: Decision, task: TaskDoc, head: str | None) -> None:
    """The very change that was sent back is handed in once more: judging it again would say the same."""
    task = keep_work(decision, task, head)
    what = "it hands in the same change that was sent back before"
    block(decision, task, what=what, tried=f"{task.spent + 1} attempts", cause="stuck")


def no_progress(decision: Decision, task: TaskDoc, quiet_s: float) -> None:
    """The agent measures that it gets nowhere. It is stopped, keeps its work, and goes on with its next task."""
    what = f"no progress for {quiet_s / 60:.0f} minutes: no file changed, no tool gave a result, nothing was said"
    decision.send(task.agent, TaskCancelled(reason=what), task)
    seats.let_go(decision, task.agent)
    block(decision, task, what="no progress", tried=what, cause="stuck")


def attempt_stopped(decision: Decision, task: TaskDoc, body: AttemptStopped) -> None:
    """What was kept of it, if the task still waits where it was stopped; else `callboard recover` lists it."""
    cause = decision.cause
    if task.state is TaskState.BLOCKED and (task.agent, task.attempt) == (cause.sender, cause.attempt):
        decision.send("gate", PinRequested(agent=task.agent, base=task.base, commit=body.head), task)
        decision.put_task(task, pin=body.head)


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
    # what collides with the integration head fails for what others did; reviews have stop conditions of their own
    repeats = source != "landing" and tracks.sent_back(decision, task, "" if source == "review" else text)
    spend_attempt(decision, task, Note(source=source, text=text), summary, repeats=repeats)


def send_back_unspent(decision: Decision, task: TaskDoc, summary: str, findings: Sequence[Finding]) -> None:
    """A person said how to go on after a review: the driver hears what was found, and no attempt is counted."""
    decision.send(task.agent, ChangesRequested(source="review", summary=summary, findings=tuple(findings)), task)
    text = "\n".join([summary, *map(finding_fact, findings)])
    notes = (*task.notes[:-1], Note(source="review", text=text), *task.notes[-1:])
    decision.put_task(task, state=TaskState.CHANGES_REQUESTED, pin=task.head, reason=summary, notes=notes)


def refuse(decision: Decision, task: TaskDoc, rule: str, path: str, way_out: str) -> None:
    """The next attempt knows the rule. What must not be imported is left out of it; what only was not called for is not
    the work's fault, so that one goes on from it."""
    decision.put_run(intake_refusals=decision.board.run.intake_refusals + 1)
    decision.send(task.agent, HandInRefused(rule=rule, path=path, way_out=way_out), task)
    summary = f"intake refused {f'`{path}`' if path else 'it'} (rule {rule}): {way_out}"
    decision.log("evidence", "intake refused it", [summary], task=task)
    task = decision.put_task(task, pin=task.head if rule == TOOLS_RULE else "", head="")
    spend_attempt(decision, task, Note(source="intake", text=summary), summary)


def spend_attempt(decision: Decision, task: TaskDoc, note: Note, summary: str, *, repeats: bool = False) -> None:
    """Count a failed attempt; the task comes back, or has failed when none is left.

    Args:
        repeats: It failed as an earlier one did, so it is stuck rather than begun anew.
    """
    spent = task.spent + 1
    most = decision.board.caps(task_scope(task.id)).attempts
    left = most - spent
    # in a run from outside nobody climbs a ladder: whoever hands in next answers it
    if repeats and left > 0 and outside_of(decision.board) is None:
        task = decision.put_task(task, spent=spent, notes=(*task.notes, note))
        block(decision, task, what=f"it fails again as before: {summary}", tried=f"{spent} attempts", cause="stuck")
        return
    state = TaskState.CHANGES_REQUESTED if left > 0 else TaskState.FAILED
    reason = summary if left > 0 else f"{most} attempt{'' if most == 1 else 's'} spent; the last: {summary}"
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
    options: tuple[str, ...] = (),
) -> None:
    """Park the task behind a blocker. What an agent met climbs the ladder (ladder.py); what only a person can put right is
    asked at once.

    Args:
        options: What a person may answer; empty = anything.
    """
    run = decision.board.run
    climbs = cause in CLIMB
    text = questions.blocked_text(task.id, what, needs)
    question = "" if climbs else questions.ask(decision, text, task=task, options=options).id
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


def not_judged(decision: Decision, task: TaskDoc, what: str, needs: str) -> None:
    """Too few have judged it: a person puts that right, and then can only have it reviewed once more."""
    block(decision, task, what=what, needs=f"{needs}; then answer `{AGAIN}`", cause="review", options=(AGAIN,))


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
