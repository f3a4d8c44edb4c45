"""What a run came to, as a document of the board: written when it ends, and anew when it ends again. Pure."""

from __future__ import annotations

from callboard.agents.manager.decision import Decision, newest
from callboard.agents.manager.tiers import count, open_issues, tiers
from callboard.bus.board import Board, TaskState
from callboard.bus.issues import SummaryDoc

ENDED = ("succeeded", "failed", "cancelled")


def facts(board: Board) -> list[str]:
    """How many tasks ended how, which tiers are clean, how many issues are open."""
    tasks = list(newest(board).values())
    counts = {state: sum(task.state is state for task in tasks) for state in TaskState}
    said = [", ".join(f"{number} {state}" for state, number in counts.items() if number)]
    said += [f"tier {tier.name}: {tier.cleanliness.replace('_', ' ')}" for tier in tiers(board)]
    issues = open_issues(board)
    if issues:
        minors, majors = count(board, issues)
        said.append(
            f"issues open: {minors} minor, {majors} major, {sum(one.is_of_this_run for one in issues)} of this run"
        )
    return said


def is_written(board: Board) -> bool:
    """Of the end that the run has come to, with what has landed by now."""
    summary = board.get("summary", SummaryDoc)
    return board.run.state in ENDED and (summary.state, summary.head) == (board.run.state, board.run.head)


def settle(decision: Decision) -> None:
    run = decision.board.run
    if run.state in ENDED and not is_written(decision.board):
        said = tuple(facts(decision.board))
        decision.put("summary", SummaryDoc(state=run.state, head=run.head, facts=said, at=decision.now))
