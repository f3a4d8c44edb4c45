"""The ladder's last rung: what a person is asked about a blocker, and what an answer means."""

from __future__ import annotations

from callboard.agents.manager import questions, rungs, tracks
from callboard.agents.manager.decision import Decision
from callboard.bus.board import BlockerDoc, ProblemDoc, QuestionDoc
from callboard.bus.problems import Rung


def ask(
    decision: Decision, blocker: BlockerDoc, problem: ProblemDoc, passed: list[str] | tuple[str, ...]
) -> QuestionDoc:
    task = rungs.task_of(decision, problem)
    problem = rungs.step(decision, problem, Rung(name="person", state="asked", at=decision.now))
    rungs.put(decision, problem, consult="", asked=(), heard={})
    question = questions.ask(decision, question_text(blocker, problem), task=task)
    decision.put(f"blocker:{blocker.id}", blocker.model_copy(update={"question": question.id}))
    decision.put_task(task, question=question.id)
    rungs.tell(decision, blocker, "person", (*passed, f"answered by {question.id}"))
    return question


def question_of(decision: Decision, name: str) -> QuestionDoc:
    """What a person answers: a question by its id, or what an open blocker asks. A person who answers one before being
    asked is asked now, and whoever else was is not waited for."""
    blocker = decision.board.get(f"blocker:{name}", BlockerDoc)
    if blocker.version and blocker.state == "open" and not blocker.question:
        ask(decision, blocker, rungs.problem_of(decision, blocker), ())
        blocker = decision.board.get(f"blocker:{name}", BlockerDoc)
    return decision.board.get(f"question:{blocker.question or name}", QuestionDoc)


def question_text(blocker: BlockerDoc, problem: ProblemDoc) -> str:
    """What a person is asked, with what the roster would say."""
    text = questions.blocked_text(blocker.task, blocker.what, blocker.needs)
    if not problem.proposals:
        return text
    said = "\n".join(f"{n}. {advice.text}" for n, advice in enumerate(problem.proposals, 1))
    return f"{text}\nThe reviewers say, and do not agree:\n{said}\nAnswer with a number to take that, or in your own words."


def chosen(decision: Decision, question: QuestionDoc, text: str) -> str:
    """A person's answer: the proposal that its number names, or the words as they are."""
    problem = next((doc for doc in decision.board.all(ProblemDoc) if _asks(decision, doc, question)), None)
    number = int(text.strip()) if text.strip().isdecimal() and len(text.strip()) < 3 else 0
    if problem is None or not 1 <= number <= len(problem.proposals):
        return text
    return problem.proposals[number - 1].text


def answered(decision: Decision, blocker: BlockerDoc) -> None:
    """A person has answered what its blocker asks."""
    tracks.forget(decision, decision.board.task(blocker.task))
    for problem in decision.board.all(ProblemDoc):
        if problem.blocker == blocker.id:
            rungs.step(decision, problem, Rung(name="person", state="answered", at=decision.now))


def _asks(decision: Decision, problem: ProblemDoc, question: QuestionDoc) -> bool:
    return decision.board.get(f"blocker:{problem.blocker}", BlockerDoc).question == question.id
