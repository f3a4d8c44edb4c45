"""A run that only people can move is paused for that, and goes on by itself with what they do. Pure.

The pause is lifted before each decision and put back after it where it still holds, so no decision has to know of it.
"""

from __future__ import annotations

from callboard.agents.manager.decision import Decision
from callboard.agents.manager.outlook import needed, outlook
from callboard.bus.board import Board, RunDoc
from callboard.bus.caps import called
from callboard.bus.questions import QuestionDoc


def lift(decision: Decision) -> RunDoc:
    """See what follows as if the run ran.

    Returns:
        The run as it was.
    """
    was = decision.board.run
    if was.waits:
        decision.put_run(state="running", reason="", detail="", waits=False)
    return was


def settle(decision: Decision, was: RunDoc) -> None:
    """Pause the run where nobody else can move it, and say in the log when that begins and ends."""
    if decision.board.run.state == "running" and outlook(decision.board) == "people":
        reason, detail = why(decision.board)
        decision.put_run(state="paused", reason=reason, detail=detail, waits=True)
    run = decision.board.run
    if run.waits and not (was.waits and was.reason == run.reason):
        decision.log("question", f"run paused: {run.reason}", [run.detail])
    elif was.waits and run.state == "running":
        decision.log("resolved", "run goes on")


def why(board: Board) -> tuple[str, str]:
    """What people have to do: the reason in a word, that of the oldest question, and a sentence with all of them."""
    asked, left = _asked(board), needed(board)
    if not left and not asked:
        return "operator", "there is no task yet; write some into the direction files, then `callboard launch`"
    if not asked:
        return "environment", f"no agent of the roster can go on with {', '.join(task.id for task in left)}"
    names = ", ".join(f"{doc.id} ({doc.task or doc.deployment or called(doc.scope)})" for doc in asked)
    return _kind(asked[0]), f"{names} {'waits' if len(asked) == 1 else 'wait'} for people"


def _asked(board: Board) -> list[QuestionDoc]:
    """Open questions that hold up what is left, the oldest first."""
    ids = {task.id for task in needed(board)}
    found = [
        doc
        for doc in board.all(QuestionDoc)
        if doc.state == "open" and (doc.scope or doc.deployment or doc.task in ids)
    ]
    return sorted(found, key=lambda doc: int(doc.id.partition("-")[2] or 0))


def _kind(question: QuestionDoc) -> str:
    return "budget" if question.scope else "approval" if question.permits else "question"
