"""The run's summary for whoever cannot see the board: a document of the manager's log branch, anew whenever it changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from callboard.agents.manager import summary
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.eligibility import Condition, conditions
from callboard.bus.issues import SummaryDoc
from callboard.bus.messages import JOURNAL, RunSummed

GOES_ON = ("not met: the run has succeeded: it goes on",)
"""Said once, in place of all conditions: what they come to while it does changes with every message."""


def settle(decision: Decision) -> None:
    """Say what is new: how it ended, a condition of promotion that is met now or no longer, that it goes on."""
    run, known = decision.board.run, decision.board.get("summary", SummaryDoc)
    has_ended = run.state in summary.ENDED
    if not has_ended and known.conditions in ((), GOES_ON):
        return
    said = tuple(line for one in conditions(decision.board) for line in _lines(one)) if has_ended else GOES_ON
    if said == known.conditions:
        return
    decision.put("summary", known, conditions=said)
    body = RunSummed(
        state=run.state,
        commit=run.head,
        branch=run.integration,
        facts=known.facts if has_ended else (),
        conditions=said,
    )
    decision.send(JOURNAL, body)


def _lines(condition: Condition) -> Iterator[str]:
    if condition.is_met:
        yield f"met: {condition.name}"
    for problem in condition.problems:
        yield f"not met: {condition.name}: {' '.join(str(problem).split())}"
