"""Old issues become tasks of the driver that cleans up, as many as agents and models may make."""

from __future__ import annotations

from callboard.agents.manager import backlog, issues, tiers
from callboard.agents.manager.decision import Decision, newest
from callboard.agents.manager.outside_seats import outside_of
from callboard.bus.board import ENDED, Board, TaskState
from callboard.bus.issues import IssueDoc
from callboard.bus.task import Source, TaskSpec

CATEGORY = "debt_cleanup"


def settle(decision: Decision) -> None:
    """Close what was cleaned up, and queue a task for each issue that has become too old; in a run from outside nobody of the
    roster has other work than the phases that name it."""
    for issue in tiers.open_issues(decision.board):
        if issue.clean_up and decision.board.task(issue.clean_up).state is TaskState.DONE:
            issues.close(decision, issue, f"cleaned up by {issue.clean_up}")
    driver = decision.board.budget.limits.issues.clean_up_by
    is_lent = outside_of(decision.board) is not None
    if decision.board.run.state == "running" and driver and decision.agent(driver).role == "driver" and not is_lent:
        _queue(decision, driver)


def _queue(decision: Decision, driver: str) -> None:
    for issue in _old(decision.board):
        key = f"{driver}/clean-up-{issue.key.replace('_', '-')}"
        known = newest(decision.board).get(key)
        if known is not None and known.state not in ENDED:
            continue
        if made(decision.board) >= decision.board.budget.limits.made_tasks:
            _tell_full(decision)
            return
        task = backlog.add_task(decision, _spec(issue, driver, key))
        decision.put(f"issue:{issue.key}", issue.model_copy(update={"clean_up": task.id}))
        decision.log("task", "made to clean up an old issue", [f"issue `{issue.key}`", f"for {driver}"], task=task)


def _old(board: Board) -> list[IssueDoc]:
    """Minor ones that count as major by their age, and that nobody works on."""
    return [
        issue
        for issue in tiers.open_issues(board)
        if not issue.clean_up and issue.severity != tiers.severity(board, issue)
    ]


def made(board: Board) -> int:
    """Tasks of this run that nobody of the people wrote down."""
    return sum(task.task.source.kind == "debt" for task in board.tasks())


def _spec(issue: IssueDoc, driver: str, key: str) -> TaskSpec:
    seen = sorted({reference for one in issue.sightings for reference in one.evidence})
    where = f"\nSeen at: {', '.join(seen)}" if seen else ""
    return TaskSpec(
        key=key,
        title=f"Clean up: {issue.title}",
        what=f"Mend this issue, which is open since run {issue.first_run}, and nothing else: {issue.title}{where}",
        evidence="What shows that the issue is gone.",
        category=CATEGORY,
        priority=3,
        agent=driver,
        source=Source(kind="debt"),
    )


def _tell_full(decision: Decision) -> None:
    tracker = decision.board.tracker
    if not tracker.is_full_told:
        decision.put("tracker", tracker.model_copy(update={"is_full_told": True}))
        cap = decision.board.budget.limits.made_tasks
        facts = ["other old issues stay in the backlog; [budget] made_tasks in callboard.toml says how many"]
        decision.log("progress", f"{cap} tasks were made to clean up, and no more may be", facts)
