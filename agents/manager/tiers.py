"""What became of a run's tiers: whether each has ended, is clean, and how many issues it may have. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from callboard.agents.manager.decision import newest
from callboard.agents.manager.gate_runs import GIVEN_UP
from callboard.bus.board import ENDED, Board, TaskDoc, TaskState
from callboard.bus.caps import tier_scopes
from callboard.bus.issues import IssueDoc, Severity


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier at one moment."""

    name: str
    index: int
    """From 0, in the order in which the board got the first task of each."""
    tasks: tuple[TaskDoc, ...]
    """By id number."""
    minors: int
    """Keys of open issues that were seen in its tasks and count as minor."""
    majors: int
    minors_cap: int
    majors_cap: int | None
    """None = not capped."""
    problems: tuple[Problem, ...]
    """Why it is not clean."""

    @property
    def has_ended(self) -> bool:
        """Nothing but standing work of it is open."""
        return all(task.state in ENDED or task.task.standing for task in self.tasks)

    @property
    def cleanliness(self) -> Literal["clean", "not_clean"]:
        return "not_clean" if self.problems else "clean"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it has to be, and the way out."""

    text: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.text}; {self.way_out}"


def tiers(board: Board) -> tuple[Tier, ...]:
    """Every tier that a task of the board names; tasks that name none are in none."""
    named: dict[str, list[TaskDoc]] = {}
    in_one = [task for task in newest(board).values() if tier_scopes(task.task.tier)]
    for task in sorted(in_one, key=lambda task: int(task.id.partition("-")[2])):
        named.setdefault(task.task.tier, []).append(task)
    return tuple(_tier(board, name, index, tuple(tasks)) for index, (name, tasks) in enumerate(named.items()))


def counting(tasks: Iterable[TaskDoc]) -> int:
    """Tasks that caps of issues and gate runs are multiplied by: those that nobody gave up."""
    return sum(task.state not in GIVEN_UP for task in tasks)


def _tier(board: Board, name: str, index: int, tasks: tuple[TaskDoc, ...]) -> Tier:
    limits, safety = board.budget.limits.issues, board.run.safety
    ids = {task.id for task in board.tasks() if task.task.tier == name}
    seen = [issue for issue in open_issues(board) if any(one.task in ids for one in issue.sightings)]
    minors, majors = count(board, seen)
    minors_cap, majors_cap = limits.tier_minors(safety, counting(tasks)), limits.tier_majors(safety)
    problems = (
        *_lost(tasks),
        *_stopped(board, name),
        *over("minor", minors, minors_cap),
        *over("major", majors, majors_cap),
    )
    return Tier(name, index, tasks, minors, majors, minors_cap, majors_cap, problems)


def open_issues(board: Board) -> list[IssueDoc]:
    """By key."""
    return sorted((issue for issue in board.all(IssueDoc) if issue.state == "open"), key=lambda issue: issue.key)


def age_in_tiers(board: Board, issue: IssueDoc) -> int:
    """How many tiers have ended since it was first seen."""
    return issue.age_tiers + len(board.tracker.tiers_ended) - issue.tiers_before


def severity(board: Board, issue: IssueDoc) -> Severity:
    """What it counts as: a minor one that nobody mended for too long is major."""
    is_old = board.budget.limits.issues.is_old(issue.age_runs, age_in_tiers(board, issue))
    return "major" if is_old else issue.severity


def count(board: Board, issues: Iterable[IssueDoc]) -> tuple[int, int]:
    """How many count as minor, and how many as major."""
    found = [severity(board, issue) for issue in issues]
    return found.count("minor"), found.count("major")


def over(kind: Severity, found: int, cap: int | None) -> tuple[Problem, ...]:
    if cap is None or found <= cap:
        return ()
    way_out = "mend them and `callboard issues close KEY`, or raise the cap in [issues]"
    return (Problem(f"{found} {kind} issues are open, {cap} may be", way_out),)


def _lost(tasks: Iterable[TaskDoc]) -> tuple[Problem, ...]:
    lost = [task for task in tasks if task.state in (TaskState.FAILED, TaskState.SKIPPED) and not task.task.standing]
    return tuple(
        Problem(
            f"{task.id} {task.state}", f"`callboard launch --again {task.task.key}` or `callboard cancel {task.id}`"
        )
        for task in lost
    )


def _stopped(board: Board, name: str) -> tuple[Problem, ...]:
    known = board.budget.exhausted.get(f"tier:{name}")
    if known is None or not known.stopped:
        return ()
    return (Problem("its budget is spent", "raise [budget.tier] in callboard.toml, then `callboard resume`"),)
