"""What the open tasks may cost, before anything is spent: from stated assumptions, so a guess of the right size; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from callboard.agents.brains.budget import Usage
from callboard.agents.brains.prices import Prices
from callboard.bus.board import ENDED, Board, TaskDoc
from callboard.bus.caps import RUN, in_usd, tier_scopes

CALLS = 20
"""A driver's calls for a task without a Timeline; with one, a call a minute of its longest guess."""
CALL = Usage(input_tokens=15_000, output_tokens=700, cached_tokens=12_000)
"""One of a driver's: the task and what was said so far, most of it cached."""
REVIEW = Usage(input_tokens=12_000, output_tokens=1_500)
"""One reviewer's on one task."""
ASSUMPTIONS = (
    f"a driver makes a call a minute of a task's Timeline, {CALLS} without one, and needs one attempt",
    f"each call sends {CALL.input_tokens:,} tokens, {CALL.cached_tokens:,} of them cached, and gets {CALL.output_tokens:,}",
    f"each reviewer judges each task once: {REVIEW.input_tokens:,} tokens sent, {REVIEW.output_tokens:,} received",
    "agents with a command are not counted; an agent CLI decides itself which model it calls",
)


@dataclass(frozen=True, slots=True)
class Thinker:
    """An agent that pays for its thinking."""

    name: str
    role: str
    model: str
    """`provider:model`; "" = nobody knows."""


class Guess(BaseModel):
    model_config = ConfigDict(frozen=True)

    agent: str
    model: str
    tokens: int
    usd: float | None
    """None = unknown."""


class TierGuess(BaseModel):
    model_config = ConfigDict(frozen=True)

    tier: str
    tokens: int
    usd: float | None
    """None = unknown for at least one agent."""
    cap_tokens: int
    cap_usd: float

    @property
    def passes_a_cap(self) -> bool:
        return self.tokens > self.cap_tokens or (self.usd or 0) > self.cap_usd


class Forecast(BaseModel):
    """What the open tasks would cost, if the assumptions held."""

    model_config = ConfigDict(frozen=True)

    agents: tuple[Guess, ...]
    tokens: int
    usd: float | None
    """None = unknown for at least one agent."""
    cap_tokens: int
    cap_usd: float
    tiers: tuple[TierGuess, ...] = ()
    """Their share of the whole; tasks without a Tier are in none."""
    assumptions: tuple[str, ...] = ASSUMPTIONS

    @property
    def passes_a_cap(self) -> bool:
        return self.tokens > self.cap_tokens or (self.usd or 0) > self.cap_usd


def forecast(board: Board, thinkers: Sequence[Thinker], prices: Prices) -> Forecast:
    """Guess for each agent.

    Args:
        board: As a launch would begin with it; standing work is not counted.
        thinkers: Who pays for calls.
    """
    waiting = [task for task in board.tasks() if task.state not in ENDED and not task.task.standing]
    guesses = tuple(guess for thinker in thinkers if (guess := _guess(thinker, waiting, prices)).tokens)
    caps = board.caps(RUN)
    return Forecast(
        agents=guesses,
        tokens=sum(guess.tokens for guess in guesses),
        usd=_sum(guesses),
        cap_tokens=caps.tokens,
        cap_usd=float(in_usd(caps.micro_usd)),
        tiers=tuple(_tiers(board, waiting, thinkers, prices)) if guesses else (),
    )


def _sum(guesses: Iterable[Guess]) -> float | None:
    known = [guess.usd for guess in guesses]
    return None if None in known else float(sum(usd or 0 for usd in known))


def _tiers(
    board: Board, waiting: Sequence[TaskDoc], thinkers: Sequence[Thinker], prices: Prices
) -> Iterator[TierGuess]:
    for scope in sorted({scope for task in waiting for scope in tier_scopes(task.task.tier)}):
        own = [task for task in waiting if scope in tier_scopes(task.task.tier)]
        guesses = [guess for thinker in thinkers if (guess := _guess(thinker, own, prices)).tokens]
        caps = board.caps(scope)
        yield TierGuess(
            tier=scope.partition(":")[2],
            tokens=sum(guess.tokens for guess in guesses),
            usd=_sum(guesses),
            cap_tokens=caps.tokens,
            cap_usd=float(in_usd(caps.micro_usd)),
        )


def _guess(thinker: Thinker, waiting: Iterable[TaskDoc], prices: Prices) -> Guess:
    if thinker.role == "reviewer":
        used = [REVIEW for _ in waiting]
    else:
        used = [CALL for task in waiting if task.task.agent == thinker.name for _ in range(_calls(task))]
    costs = {usage: prices.of(thinker.model, usage) for usage in {*used}}
    known = [cost for usage in used if (cost := costs[usage]) is not None]
    usd = float(sum(known)) if len(known) == len(used) else None
    return Guess(agent=thinker.name, model=thinker.model, tokens=sum(usage.tokens for usage in used), usd=usd)


def _calls(task: TaskDoc) -> int:
    return task.task.estimate_minutes[1] if task.task.estimate_minutes else CALLS


def told(found: Forecast) -> list[str]:
    """The same as lines for a person."""
    if not found.agents:
        return []
    lines = [
        f"  {guess.agent}: {guess.tokens:,} tokens, {_usd(guess.usd)} ({guess.model or 'unknown model'})"
        for guess in found.agents
    ]
    head = f"estimate: {found.tokens:,} of {found.cap_tokens:,} tokens, {_usd(found.usd)} (cap {found.cap_usd:.2f} USD)"
    tiers = [_tier_line(guess) for guess in found.tiers]
    over = ["  that is more than the run may use: at the cap you would be asked"] if found.passes_a_cap else []
    return [head, *lines, *tiers, *over, *(f"  assumed: {text}" for text in found.assumptions)]


def _tier_line(guess: TierGuess) -> str:
    over = "; that is more than it may use" if guess.passes_a_cap else ""
    said = f"{guess.tokens:,} of {guess.cap_tokens:,} tokens, {_usd(guess.usd)} (cap {guess.cap_usd:.2f} USD)"
    return f"  tier {guess.tier}: {said}{over}"


def _usd(usd: float | None) -> str:
    return "price unknown" if usd is None else f"{usd:.2f} USD"
