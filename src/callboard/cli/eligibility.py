"""`callboard promote --check`: every condition of promotion, with the way out of each that is not met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callboard.cli.exit_codes import FAILED
from callboard.cli.output import print_json, say
from callboard.cli.session import wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.board import Board


@dataclass(frozen=True, slots=True)
class ProblemRow:
    text: str
    way_out: str


@dataclass(frozen=True, slots=True)
class ConditionRow:
    condition: str
    met: bool
    problems: tuple[ProblemRow, ...]


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What `--json` prints."""

    run: str
    eligible: bool
    conditions: tuple[ConditionRow, ...]


def check_promotion(workspace: Workspace, *, json: bool) -> int:
    """Look, move nothing.

    Returns:
        The exit code: 0 when the run may be promoted, else 1.
    """
    from callboard.launch.joining import current_run, open_bus

    async def read() -> Board:
        async with open_bus(workspace, current_run(workspace)) as bus:
            return await bus.board()

    found = eligibility(wait_for(read()))
    if json:
        print_json(found)
    else:
        for line in told(found):
            say(line)
    return 0 if found.eligible else FAILED


def eligibility(board: Board) -> Eligibility:
    from callboard.agents.manager.eligibility import conditions

    rows = tuple(
        ConditionRow(
            condition=condition.name,
            met=condition.is_met,
            problems=tuple(ProblemRow(problem.text, problem.way_out) for problem in condition.problems),
        )
        for condition in conditions(board)
    )
    return Eligibility(run=board.run.id, eligible=all(row.met for row in rows), conditions=rows)


def told(found: Eligibility) -> list[str]:
    lines = []
    for row in found.conditions:
        lines.append(f"{'yes' if row.met else 'no ':<4} {row.condition}")
        lines += [f"       {problem.text}: {problem.way_out}" for problem in row.problems]
    end = "`callboard promote` moves the target branch" if found.eligible else "not eligible for promotion"
    return [*lines, f"run {found.run}: {end}"]
