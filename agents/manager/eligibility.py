"""Whether a run may be promoted: every condition, met or not, with the way out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callboard.agents.manager import closing, summary, tiers
from callboard.agents.manager.decision import newest, open_tasks
from callboard.agents.manager.tiers import Problem, counting, open_issues
from callboard.bus.board import Board
from callboard.bus.caps import called


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    """What has to be true, as a sentence."""
    problems: tuple[Problem, ...]
    """Why it is not; empty = it is."""

    @property
    def is_met(self) -> bool:
        return not self.problems


def conditions(board: Board) -> tuple[Condition, ...]:
    """All of them, in the order in which one would see to them."""
    return (
        Condition("the run has succeeded", tuple(_not_succeeded(board))),
        Condition("its summary is written", tuple(_no_summary(board))),
        Condition("every tier is clean", tuple(_not_clean(board))),
        Condition("no budget was given up", tuple(_spent(board))),
        Condition("no cap on issues is passed", tuple(_too_many(board))),
        Condition("there is something to promote", tuple(_nothing_new(board))),
    )


def not_promotable(board: Board) -> list[str]:
    """Every reason why the run may not be promoted, with its way out; empty = eligible."""
    return [str(problem) for condition in conditions(board) for problem in condition.problems]


def _not_succeeded(board: Board) -> Iterator[Problem]:
    run = board.run
    if run.state == "succeeded":
        return
    still = [f"{task.id} is {task.state}" for task in open_tasks(board) if not task.task.standing]
    lost = [f"{task.id} {task.state}" for task in closing.not_done(board)]
    named = f" ({', '.join([*still, *lost])})" if still or lost else ""
    ways = {
        "paused": "`callboard questions` lists what it waits for"
        if run.waits
        else "`callboard resume` goes on with it",
        "failed": "do what failed again (`callboard launch --again KEY`) or give it up (`callboard cancel TASK`)",
        "cancelled": "begin another on top of it: `callboard launch --new --from " + (run.id or "RUN") + "`",
    }
    yield Problem(f"the run is {run.state}{named}", ways.get(run.state, "`callboard launch` goes on with it"))


def _no_summary(board: Board) -> Iterator[Problem]:
    if board.run.state in summary.ENDED and not summary.is_written(board):
        yield Problem(
            "its summary is not written", "the manager writes it with whatever it does next, such as a launch"
        )


def _not_clean(board: Board) -> Iterator[Problem]:
    for tier in tiers.tiers(board):
        for problem in tier.problems:
            yield Problem(f"tier {tier.name} is not clean: {problem.text}", problem.way_out)


def _spent(board: Board) -> Iterator[Problem]:
    """A tier's makes the tier unclean; an agent's says nothing about the work, which others did."""
    for scope, known in board.budget.exhausted.items():
        kind = scope.partition(":")[0]
        if known.stopped and kind in ("run", "task"):
            table = "[budget]" if kind == "run" else "[budget.task]"
            way_out = f"raise {table} in callboard.toml, then `callboard resume`"
            yield Problem(f"the budget of {called(scope)} is spent, and nobody raised it", way_out)


def _too_many(board: Board) -> Iterator[Problem]:
    minors, _ = tiers.count(board, [issue for issue in open_issues(board) if issue.is_of_this_run])
    cap = board.budget.limits.issues.run_minors_per_task * counting(newest(board).values())
    for problem in tiers.over("minor", minors, cap):
        yield Problem(f"of the run, {problem.text}", problem.way_out)


def _nothing_new(board: Board) -> Iterator[Problem]:
    run = board.run
    if run.head == run.base:
        yield Problem("nothing has landed", "only what changed code can be promoted")
    elif run.promoted == run.head:
        yield Problem(f"{run.target} is at {run.head[:12]} already", "there is nothing left to do")
