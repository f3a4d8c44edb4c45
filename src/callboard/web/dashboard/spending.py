"""What a run has cost, by agent and by model, as its page plots it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from callboard.bus.board import Board
from callboard.bus.caps import RUN, SpentSeen, agent_scope, in_usd
from callboard.launch.cost_rows import CostRow, costs
from callboard.web.dashboard.plots import percents

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Cost:
    """One agent, model, tier or the run."""

    row: CostRow
    usd: Decimal
    """Of the calls whose price is known, exactly."""
    tokens: int
    usd_part: float
    """Of the dearest in its list, of 100."""
    tokens_part: float

    @property
    def said(self) -> str:
        """`$1.20`, `unknown`, or `$1.20 and unknown`."""
        known = f"${self.usd.quantize(CENT):,}"
        if not self.row.unpriced_calls:
            return known
        return f"{known} and unknown" if self.usd else "unknown"


@dataclass(frozen=True, slots=True)
class CostList:
    name: str
    rows: tuple[Cost, ...]
    """The dearest first."""


def cost_lists(board: Board, seen: SpentSeen) -> tuple[Cost | None, tuple[CostList, ...]]:
    """What the run has cost, and lists of what that went to."""
    rows = costs(board, seen).rows
    lists = [(title, _listed(seen, [row for row in rows if row.scope == scope])) for scope, title in _LISTS]
    whole = _listed(seen, [row for row in rows if row.scope == RUN])
    return (whole[0] if whole else None), tuple(CostList(title, found) for title, found in lists if found)


_LISTS = (("agent", "By agent"), ("model", "By model"), ("tier", "By tier"))


def _listed(seen: SpentSeen, rows: Sequence[CostRow]) -> tuple[Cost, ...]:
    priced = [in_usd(seen.of(_scope(row)).micro_usd) for row in rows]
    tokens = [row.input_tokens + row.output_tokens for row in rows]
    parts = zip(percents([float(usd) for usd in priced]), percents([float(count) for count in tokens]), strict=True)
    found = [Cost(*each, *part) for each, part in zip(zip(rows, priced, tokens, strict=True), parts, strict=True)]
    return tuple(sorted(found, key=lambda one: (-one.usd, -one.tokens, one.row.name)))


def _scope(row: CostRow) -> str:
    if row.scope == RUN:
        return RUN
    return agent_scope(row.name) if row.scope == "agent" else f"{row.scope}:{row.name}"
