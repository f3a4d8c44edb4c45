"""Approvals: what intake lets through only when a person permits it. The task waits, however long; its agent does not."""

from __future__ import annotations

from collections.abc import Sequence

from callboard.agents.manager import questions, requests, setbacks
from callboard.agents.manager.decision import Decision
from callboard.bus.board import QuestionDoc, TaskDoc, TaskState
from callboard.bus.messages import AnswerGiven, ApprovalRequested
from callboard.bus.task import Permit

YES, NO = "yes", "no"
WHAT = {
    "document": "a new document that the task's Paths do not name",
    "ci": "run by build servers",
}
"""Rule -> what a path is that needs a permit."""


def ask(decision: Decision, task: TaskDoc, permits: Sequence[Permit]) -> None:
    """Nothing but a person's word is missing: the hand-in stays as it is until it is given."""
    question = questions.ask(decision, _text(task, permits), task=task, options=(YES, NO), permits=tuple(permits))
    told = ApprovalRequested(question=question.id, text=question.text, permits=question.permits)
    decision.send(task.agent, told, task)
    reason = f"waits for {question.id}: a person has to permit {_names(permits)}"
    decision.put_task(task, state=TaskState.BLOCKED, reason=reason, question=question.id)


def _text(task: TaskDoc, permits: Sequence[Permit]) -> str:
    parts = [
        f"{names} ({WHAT[rule]})"
        for rule in WHAT
        if (names := _names([permit for permit in permits if permit.rule == rule]))
    ]
    vault = f".callboard/vaults/{task.agent}.git"
    return (
        f"{task.id} hands in {' and '.join(parts)}. May it come in? "
        f"Look at it with `git --git-dir {vault} show {task.head[:12]}`."
    )


def _names(permits: Sequence[Permit]) -> str:
    return ", ".join(f"`{permit.path}`" for permit in permits)


def answered(decision: Decision, question: QuestionDoc, text: str) -> None:
    """Yes: the same hand-in goes through intake again, these paths permitted. No: it is refused like any other."""
    task = decision.board.task(question.task)
    decision.send(question.agent, AnswerGiven(question=question.text, text=text), task)
    task = decision.put_task(task, question="")
    if text == YES:
        permits = tuple(dict.fromkeys((*task.permits, *question.permits)))
        requests.ask_gate(decision, decision.put_task(task, state=TaskState.GATE, permits=permits))
        return
    first = question.permits[0]
    way_out = f"a person said no to {_names(question.permits)} ({question.id}); leave it out, or put the text into a file that exists"
    setbacks.refuse(decision, task, first.rule, first.path, way_out)
