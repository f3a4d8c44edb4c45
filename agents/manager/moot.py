"""Questions and blockers whose answer nobody needs any more: what they are about has ended. Pure."""

from __future__ import annotations

from callboard.agents.manager import closing, dispatch, questions
from callboard.agents.manager.decision import Decision
from callboard.bus.board import ENDED, AgentDoc, BlockerDoc, Board, TaskDoc
from callboard.bus.caps import RUN, called, tier_scopes
from callboard.bus.questions import QuestionDoc


def settle(decision: Decision) -> None:
    """Close them; a cap that nobody is asked about any more is asked about anew when it is reached again."""
    for question in list(decision.board.all(QuestionDoc)):
        why = _why(decision.board, question) if question.state == "open" else ""
        if why:
            questions.close(decision, question, why)
            _forget_cap(decision, question)
    for blocker in list(decision.board.all(BlockerDoc)):
        if blocker.state == "open" and decision.board.task(blocker.task).state in ENDED:
            decision.put(f"blocker:{blocker.id}", blocker.model_copy(update={"state": "closed"}))


def _why(board: Board, question: QuestionDoc) -> str:
    if question.scope:
        return f"no open task is left of {called(question.scope)}" if has_ended(board, question.scope) else ""
    task = board.task(question.task)
    return questions.ended(task) if task.version and task.state in ENDED else ""


def _forget_cap(decision: Decision, question: QuestionDoc) -> None:
    spent, run = decision.board.budget.exhausted, decision.board.run
    left = {scope: known for scope, known in spent.items() if known.question != question.id}
    if len(left) == len(spent):
        return
    decision.put_budget(exhausted=left)
    if question.scope == RUN and (run.state, run.reason) == ("paused", "budget"):
        closing.go_on(decision)


def has_ended(board: Board, scope: str) -> bool:
    """Whether every task has ended that a scope's cap pays for; without any there is nothing that could have ended."""
    tasks = [task for task in board.tasks() if _pays_for(board, scope, task)]
    return bool(tasks) and all(task.state in ENDED for task in tasks)


def _pays_for(board: Board, scope: str, task: TaskDoc) -> bool:
    kind, _, name = scope.partition(":")
    match kind:
        case "task":
            return task.id == name
        case "tier":
            return scope in tier_scopes(task.task.tier)
        case "agent" if board.get(f"agent:{name}", AgentDoc).role in dispatch.WORKERS:
            return task.agent == name or dispatch.is_for(task, name, board)
    return True
