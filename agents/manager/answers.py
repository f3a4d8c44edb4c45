"""A person answered: what was asked is closed, and the task goes on where it stopped."""

from __future__ import annotations

from callboard.agents.manager import approvals, obstacles, requests
from callboard.agents.manager.decision import Decision, newest
from callboard.bus.board import BlockerDoc, QuestionDoc, TaskDoc, TaskState
from callboard.bus.messages import AnswerGiven, BlockerResolved, Body
from callboard.bus.task import Note


def answer(decision: Decision, question: QuestionDoc, text: str) -> None:
    """The task comes back with question and answer among its notes."""
    answered = {"state": "answered", "answer": text, "answered_at": decision.now}
    decision.put(f"question:{question.id}", question.model_copy(update=answered))
    if question.permits:
        approvals.answered(decision, question, text)
        return
    task = decision.board.task(question.task)
    blocker = decision.board.get(f"blocker:{task.blocker}", BlockerDoc)
    told: Body = AnswerGiven(question=question.text, text=text)
    if task.blocker:
        resolved = {"state": "resolved", "answer": text, "resolved_at": decision.now}
        decision.put(f"blocker:{task.blocker}", blocker.model_copy(update=resolved))
        told = BlockerResolved(blocker=blocker.what, answer=text)
        decision.log("resolved", blocker.id, [f"answer: {text}"], task=task)
    decision.send(question.agent, told, task)
    note = Note(source="answer", text=f"Question: {question.text}\nAnswer: {text}")
    task = decision.put_task(task, notes=(*task.notes, note), blocker="", question="")
    _go_on(decision, task, blocker)


def _go_on(decision: Decision, task: TaskDoc, blocker: BlockerDoc) -> None:
    """Work that only lacked its review is not done again; what stood in the way is waived."""
    if blocker.cause == "review":
        requests.ask_reviewers(decision, task, task.review_commit)
        return
    found = obstacles.find(decision.board, newest(decision.board), task) if blocker.cause == "import" else None
    waived = (*task.waived, *(found.waives if found else ()))
    decision.put_task(task, state=TaskState.QUEUED, waived=waived)
