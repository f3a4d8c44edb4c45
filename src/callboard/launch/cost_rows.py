"""What a run has cost, as people and scripts see it: `callboard costs --json` is this model; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callboard.bus.board import AgentDoc, Board
from callboard.bus.caps import RUN, SpentSeen, Worked, agent_scope, in_usd, task_scope


@dataclass(frozen=True, slots=True)
class CapRow:
    """One cap and how much of it is used."""

    what: str
    """tokens, usd, minutes or attempts."""
    used: float
    """Settled; what open calls hold back is beside it."""
    cap: float
    percent: int


@dataclass(frozen=True, slots=True)
class CostRow:
    scope: str
    """run, tier, agent, task or model."""
    name: str
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    """Of the input, what was read from a provider's cache."""
    usd: float | None
    """None = unknown: the price of at least one call is."""
    known_usd: float
    """Of the calls whose price is known."""
    unpriced_calls: int
    open_calls: int
    """Reservations: calls that run now, or whose process was killed."""
    held_tokens: int
    held_usd: float
    caps: tuple[CapRow, ...]
    """Empty for a model."""


@dataclass(frozen=True, slots=True)
class Costs:
    run: str
    rows: tuple[CostRow, ...]
    """The run first, then tiers, agents, tasks and models by name."""


def costs(board: Board, seen: SpentSeen) -> Costs:
    return Costs(run=board.run.id, rows=tuple(_row(board, seen, scope) for scope in _scopes(board, seen)))


def _scopes(board: Board, seen: SpentSeen) -> Iterator[str]:
    """Whatever has spent, holds something back, or has worked."""
    yield RUN
    used = {*seen.spent, *(scope for call in seen.open for scope in call.scopes), *board.budget.worked}
    yield from sorted(scope for scope in used if scope.startswith("tier:"))
    yield from (scope for doc in board.all(AgentDoc) if (scope := agent_scope(doc.name)) in used)
    yield from (scope for doc in board.tasks() if (scope := task_scope(doc.id)) in used)
    yield from sorted(scope for scope in used if scope.startswith("model:"))


def _row(board: Board, seen: SpentSeen, scope: str) -> CostRow:
    spent, (held_tokens, held_micros) = seen.of(scope), seen.held(scope)
    kind, _, name = scope.partition(":")
    known = float(in_usd(spent.micro_usd))
    return CostRow(
        scope=kind,
        name=name or board.run.id,
        calls=spent.calls,
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        cached_tokens=spent.cached_tokens,
        usd=None if spent.unpriced else known,
        known_usd=known,
        unpriced_calls=spent.unpriced,
        open_calls=sum(scope in call.scopes for call in seen.open),
        held_tokens=held_tokens,
        held_usd=float(in_usd(held_micros)),
        caps=() if kind == "model" else cap_rows(board, seen, scope),
    )


def cap_rows(board: Board, seen: SpentSeen, scope: str) -> tuple[CapRow, ...]:
    """What a scope has used of each of its caps."""
    spent, caps = seen.of(scope), board.caps(scope)
    worked = board.budget.worked.get(scope, Worked())
    attempts = board.task(scope.partition(":")[2]).spent if scope.startswith("task:") else worked.attempts
    pairs = (
        ("tokens", float(spent.tokens), float(caps.tokens)),
        ("usd", float(in_usd(spent.micro_usd)), float(in_usd(caps.micro_usd))),
        ("minutes", float(worked.minutes), float(caps.minutes)),
        ("attempts", float(attempts), float(caps.attempts)),
    )
    return tuple(CapRow(what=what, used=used, cap=cap, percent=int(used * 100 // cap)) for what, used, cap in pairs)
