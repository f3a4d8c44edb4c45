"""How open issues go from one run to the next. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from callboard.agents.manager import tiers
from callboard.agents.manager.decision import Decision
from callboard.bus.board import Board
from callboard.bus.issues import IssueDoc, Kept, Severity
from callboard.bus.messages import BacklogCarried


def carried(decision: Decision, body: BacklogCarried) -> None:
    """Take over what earlier runs left open, once. What this run saw before it heard of them is one with them."""
    tracker = decision.board.tracker
    if tracker.is_carried:
        return
    decision.put("tracker", tracker.model_copy(update={"is_carried": True, "carried_from": body.run}))
    for kept in body.issues:
        known = decision.board.get(f"issue:{kept.key}", IssueDoc)
        decision.put(f"issue:{kept.key}", _joined(known, kept))
    if body.issues:
        decision.log("startup", f"{len(body.issues)} issues in the backlog", [f"left open by run {body.run}"])


def _joined(known: IssueDoc, kept: Kept) -> IssueDoc:
    old = kept.model_dump(exclude={"severity", "count", "last_run", "last_at"})
    values: dict[str, object] = {**old, "count": known.count + kept.count}
    if not known.version:
        values |= {"severity": kept.severity, "last_run": kept.last_run, "last_at": kept.last_at}
    elif kept.severity == "major":
        values["severity"] = "major"
    return known.model_copy(update={**values, "tiers_before": 0})


def left_open(board: Board) -> tuple[Kept, ...]:
    """What the next run takes over, one run older."""
    return tuple(
        Kept(
            key=issue.key,
            title=issue.title,
            category=issue.category,
            severity=issue.severity,
            first_run=issue.first_run,
            last_run=issue.last_run,
            first_at=issue.first_at,
            last_at=issue.last_at,
            count=issue.count,
            age_runs=issue.age_runs + 1,
            age_tiers=tiers.age_in_tiers(board, issue),
        )
        for issue in tiers.open_issues(board)
        if issue.first_at and issue.last_at
    )


def gathered(boards: Iterable[Board]) -> tuple[Kept, ...]:
    """What runs left open that were at work side by side, the oldest first: each issue as the newest run that knows it has it,
    and older by the runs that have begun since it was first seen."""
    found: dict[str, Kept] = {}
    for board in boards:
        known = {issue.key for issue in board.all(IssueDoc)}
        began = board.run.created_at
        others = {key: kept for key, kept in found.items() if key not in known}
        aged = {key: _older(kept) if began and began > kept.first_at else kept for key, kept in others.items()}
        found = aged | {kept.key: kept for kept in left_open(board)}
    return tuple(found[key] for key in sorted(found))


def _older(kept: Kept) -> Kept:
    return kept.model_copy(update={"age_runs": kept.age_runs + 1})


def merged(runs: Iterable[tuple[Kept, ...]]) -> tuple[Kept, ...]:
    """What several runs left open, the oldest first, where a later one has not taken over from the one before."""
    found: dict[str, Kept] = {}
    for issues in runs:
        aged = {key: _older(kept) for key, kept in found.items()}
        new = {kept.key: kept for kept in issues}
        found = aged | {key: _summed(aged.get(key), kept) for key, kept in new.items()}
    return tuple(found[key] for key in sorted(found))


def _summed(before: Kept | None, after: Kept) -> Kept:
    if before is None:
        return after
    grave: Severity = "major" if "major" in (before.severity, after.severity) else "minor"
    last = {"last_run": after.last_run, "last_at": after.last_at}
    return before.model_copy(update={**last, "count": before.count + after.count, "severity": grave})
