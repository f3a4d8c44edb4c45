"""How a question is opened, and closed when nobody needs its answer any more."""

from __future__ import annotations

from datetime import timedelta

from callboard.agents.manager.decision import Decision
from callboard.bus.board import ENDED, TaskDoc
from callboard.bus.messages import TimerFired
from callboard.bus.questions import QuestionDoc
from callboard.bus.task import Permit
from callboard.feedback.facts import time_fact


def ask(
    decision: Decision,
    text: str,
    *,
    task: TaskDoc | None = None,
    agent: str = "",
    options: tuple[str, ...] = (),
    default: str = "",
    within: timedelta | None = None,
    permits: tuple[Permit, ...] = (),
    scope: str = "",
) -> QuestionDoc:
    """Put it on the board; at its deadline it takes its default, or is overdue.

    Args:
        agent: Whose question it is, where it is not that of the task.
        within: None = as callboard.toml says.
        scope: Whose cap it is about.
    """
    run, asking = decision.board.run, decision.policy.asking
    within = within or asking.within
    question = QuestionDoc(
        id=f"q-{run.next_question}",
        task=task.id if task else "",
        agent=agent or (task.agent or task.task.agent if task else ""),
        text=text,
        options=options,
        default=default,
        deadline=decision.now + within,
        may_answer=asking.approvals if permits else asking.caps if scope else asking.agents,
        permits=permits,
        scope=scope,
        asked_at=decision.now,
    )
    decision.put_run(next_question=run.next_question + 1)
    decision.put(f"question:{question.id}", question)
    decision.after(within, TimerFired(about="question", subject=question.id), key=deadline_of(question.id))
    decision.log("question", question.id, _facts(decision, question), text, task)
    return question


def blocked_text(task: str, what: str, needs: str) -> str:
    """What a person is asked about a blocker; lists show it on one line, so each part ends as a sentence does."""
    text = f"{task} is blocked: {what.rstrip()}"
    stop = "" if text.endswith((".", "!", "?", ":", "…")) else "."
    return f"{text}{stop} It needs: {needs}" if needs else text


def _facts(decision: Decision, question: QuestionDoc) -> list[str]:
    asking, deadline = decision.policy.asking, question.deadline
    by = time_fact(deadline) if deadline else ""
    return [
        *([f"options: {', '.join(question.options)}"] if question.options else []),
        *([f"default: {question.default}, taken at {by}"] if question.default else []),
        *(
            [f"may be answered by: {asking.spelled(question.may_answer)}"]
            if not asking.may_answer(question.may_answer, "")
            else []
        ),
    ]


def deadline_of(id: str) -> str:
    """The key of the timer that ends the time for an answer."""
    return f"question {id}"


def close(decision: Decision, question: QuestionDoc, why: str) -> None:
    """Nobody has to answer it any more."""
    decision.cancel(deadline_of(question.id))
    closed = {"state": "closed", "closed_for": why, "is_overdue": False}
    decision.put(f"question:{question.id}", question.model_copy(update=closed))
    task = decision.board.task(question.task) if question.task else None
    decision.log("resolved", f"{question.id} needs no answer any more", [why], task=task)


def ended(task: TaskDoc) -> str:
    """Why what was asked about a task needs no answer, once that has ended."""
    return f"{task.id} is {task.state}" if task.state in ENDED else "its task has ended"
