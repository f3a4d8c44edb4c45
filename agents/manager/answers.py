"""A person answered, or nobody did in time: what was asked is closed, and the task goes on where it stopped."""

from __future__ import annotations

from callboard.agents.manager import (
    approvals,
    budget,
    deploying,
    obstacles,
    person_rung,
    questions,
    review_stops,
    reviewing,
)
from callboard.agents.manager.decision import Decision, newest
from callboard.bus.board import BlockerDoc, TaskDoc, TaskState
from callboard.bus.messages import AnswerGiven, BlockerResolved, Body, CommandGiven
from callboard.bus.questions import QuestionDoc
from callboard.bus.task import Note
from callboard.feedback.facts import time_fact


def given(decision: Decision, body: CommandGiven) -> tuple[bool, str, str]:
    """A person's answer, held against who may give it and what may be given.

    Returns:
        Whether it counts, what the person is told, and the task.
    """
    question = person_rung.question_of(decision, body.question)
    if not question.version:
        return False, f"no question {body.question!r}; `callboard questions` lists the open ones", ""
    text = question.default if body.takes_default else _option(question, body.text)
    if why := _refusal(decision, question, body, text):
        return False, why, question.task
    if question.scope:
        return (*_about_cap(decision, question, text, body.by), question.task)
    answer(decision, question, text, by=body.by)
    return (
        True,
        f"{question.id} answered{': ' + text if body.takes_default else ''}; {question.task or question.deployment} goes on",
        question.task,
    )


def _about_cap(decision: Decision, question: QuestionDoc, text: str, by: str) -> tuple[bool, str]:
    is_done, said = budget.answered(decision, question, text)
    closed = decision.board.get(f"question:{question.id}", QuestionDoc)
    if closed.state == "answered":
        decision.put(f"question:{question.id}", closed.model_copy(update={"answered_by": by, "is_overdue": False}))
    return is_done, said


def _option(question: QuestionDoc, text: str) -> str:
    """The option that is meant, however its letters are; what is none stays as it is."""
    said = text.strip()
    same = [option for option in question.options if option.casefold() == said.casefold()]
    return text if text in question.options or len(same) != 1 else same[0]


def _refusal(decision: Decision, question: QuestionDoc, body: CommandGiven, text: str) -> str:
    """Why this is no answer; "" when it is one."""
    asking, id = decision.policy.asking, question.id
    if question.state != "open":
        return f"{id} is closed: {closed_because(question)}"
    if not asking.may_answer(question.may_answer, body.by):
        whose = f"this came from {body.by}" if body.by else "this did not say who it comes from"
        return f"{id} can be answered by {asking.spelled(question.may_answer)} alone, and {whose}; `--as NAME` says who you are"
    if body.takes_default and not question.default:
        return f"{id} has no default; answer it with {_what(question)}"
    if not question.scope and not text.strip():
        return f"an answer cannot be empty; answer {id} with {_what(question)}"
    if question.options and text not in question.options:
        return f"{id} takes one of: {', '.join(question.options)}"
    return ""


def _what(question: QuestionDoc) -> str:
    return f"one of: {', '.join(question.options)}" if question.options else "a text"


def closed_because(question: QuestionDoc) -> str:
    """Why it takes no answer any more."""
    at = f" at {time_fact(question.answered_at)}" if question.answered_at else ""
    if question.is_default:
        return f"nobody had answered by its deadline, so its default {question.answer!r} was taken{at}"
    if question.state == "answered":
        who = f"{question.answered_by} answered it" if question.answered_by else "it was answered"
        return f"{who}{at}: {question.answer!r}"
    return question.closed_for or "its task has ended"


def deadline_passed(decision: Decision, id: str) -> None:
    """Nobody answered in time. Which time that was, the server's clock has said."""
    question = decision.board.get(f"question:{id}", QuestionDoc)
    if question.state != "open":
        return
    if question.default:
        answer(decision, question, question.default, is_default=True)
        return
    decision.put(f"question:{id}", question.model_copy(update={"is_overdue": True}))
    task = decision.board.task(question.task) if question.task else None
    decision.log("question", f"{id} is overdue", ["nobody has answered, and it has no default: it waits"], task=task)


def answer(decision: Decision, question: QuestionDoc, text: str, *, by: str = "", is_default: bool = False) -> None:
    """The task comes back with question and answer among its notes."""
    text = person_rung.chosen(decision, question, text)
    task = decision.board.task(question.task)
    about = task if question.task else None
    who = ["nobody answered by its deadline: its default"] if is_default else [f"by {by}"] if by else []
    decision.log("answer", question.id, [f"answer: {text}", *who], task=about)
    answered = {"state": "answered", "answer": text, "answered_by": by, "answered_at": decision.now}
    closed = question.model_copy(update={**answered, "is_default": is_default, "is_overdue": False})
    decision.put(f"question:{question.id}", closed)
    decision.cancel(questions.deadline_of(question.id))
    if question.deployment:
        deploying.answered(decision, question, text, by)
        return
    if question.permits:
        approvals.answered(decision, question, text)
        return
    blocker = decision.board.get(f"blocker:{task.blocker}", BlockerDoc)
    told: Body = AnswerGiven(question=question.text, text=text)
    if task.blocker:
        resolved = {"state": "resolved", "answer": text, "resolved_at": decision.now}
        decision.put(f"blocker:{task.blocker}", blocker.model_copy(update=resolved))
        told = BlockerResolved(blocker=blocker.what, answer=text)
        person_rung.answered(decision, blocker)
        decision.log("resolved", blocker.id, [f"answer: {text}"], task=task)
    decision.send(question.agent, told, task)
    note = Note(source="answer", text=f"Question: {question.text}\nAnswer: {text}")
    task = decision.put_task(task, notes=(*task.notes, note), blocker="", question="")
    _go_on(decision, task, blocker, text)


def _go_on(decision: Decision, task: TaskDoc, blocker: BlockerDoc, text: str) -> None:
    """Work that only lacked its review is not done again; what stood in the way is waived."""
    if blocker.cause == "review":
        if review_stops.answered(decision, task, text):
            reviewing.passed(decision, decision.board.task(task.id))
        return
    found = obstacles.find(decision.board, newest(decision.board), task) if blocker.cause == "import" else None
    waived = (*task.waived, *(found.waives if found else ()))
    decision.put_task(task, state=TaskState.QUEUED, waived=waived)
