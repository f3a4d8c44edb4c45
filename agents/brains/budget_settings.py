"""`[budget]`: what a run, a tier, a task and an agent may use; `[prices."MODEL"]`: what a model costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from callboard.agents.brains.prices import Price
from callboard.agents.settings import Table
from callboard.bus.caps import Caps, Limits, in_usd, micro_usd

_PLAIN = Limits()

Tokens = Annotated[int, Field(gt=0, le=10**12)]
Dollars = Annotated[float, Field(gt=0, le=10**6, allow_inf_nan=False)]
Minutes = Annotated[int, Field(gt=0, le=10**6)]
Attempts = Annotated[int, Field(gt=0, le=10**6)]
PerMillion = Annotated[float, Field(ge=0, le=10**6, allow_inf_nan=False)]
"""USD for a million tokens."""


def _usd(micros: int) -> float:
    return float(in_usd(micros))


class TaskBudgetSettings(Table):
    """`[budget.task]`: each task, over all its attempts and reviews; its own Budget in a direction file stands above it."""

    tokens: Tokens = _PLAIN.task.tokens
    usd: Dollars = _usd(_PLAIN.task.micro_usd)
    minutes: Minutes = _PLAIN.task.minutes
    attempts: Attempts = _PLAIN.task.attempts
    high_risk_attempts: Attempts = _PLAIN.high_risk_attempts
    """Of a task of a high-risk category (docs/issues.md)."""


class TierBudgetSettings(Table):
    """`[budget.tier]`: each tier, over all its tasks; tasks without a Tier are in none."""

    tokens: Tokens = _PLAIN.tier.tokens
    usd: Dollars = _usd(_PLAIN.tier.micro_usd)
    minutes: Minutes = _PLAIN.tier.minutes
    attempts: Attempts = _PLAIN.tier.attempts
    gate_runs_per_task: Annotated[int, Field(gt=0, le=1_000)] = _PLAIN.tier_gate_runs_per_task
    """Gates that may come to a verdict: this times its tasks."""


class AgentBudgetSettings(Table):
    """`[budget.agent]`: each agent, over the whole run."""

    tokens: Tokens = _PLAIN.agent.tokens
    usd: Dollars = _usd(_PLAIN.agent.micro_usd)
    minutes: Minutes = _PLAIN.agent.minutes
    attempts: Attempts = _PLAIN.agent.attempts


class BudgetSettings(Table):
    """`[budget]`: the run, over all its launches. There is no way to say "unlimited"."""

    tokens: Tokens = _PLAIN.run.tokens
    """Sent and received, cached ones too."""
    usd: Dollars = _usd(_PLAIN.run.micro_usd)
    """Of the calls whose price is known; the others are held to `tokens` alone."""
    minutes: Minutes = _PLAIN.run.minutes
    """In which something was worked on; waiting for people does not count."""
    attempts: Attempts = _PLAIN.run.attempts
    """At tasks, all together."""
    made_tasks: Annotated[int, Field(ge=0, le=10_000)] = _PLAIN.made_tasks
    """Tasks that agents or models made; people's are not counted."""
    tier: TierBudgetSettings = TierBudgetSettings()
    task: TaskBudgetSettings = TaskBudgetSettings()
    agent: AgentBudgetSettings = AgentBudgetSettings()

    @property
    def limits(self) -> Limits:
        return Limits(
            run=_caps(self),
            tier=_caps(self.tier),
            task=_caps(self.task),
            agent=_caps(self.agent),
            made_tasks=self.made_tasks,
            tier_gate_runs_per_task=self.tier.gate_runs_per_task,
            high_risk_attempts=self.task.high_risk_attempts,
        )


def _caps(table: BudgetSettings | TierBudgetSettings | TaskBudgetSettings | AgentBudgetSettings) -> Caps:
    usd = micro_usd(Decimal(str(table.usd)))
    return Caps(tokens=table.tokens, micro_usd=usd, minutes=table.minutes, attempts=table.attempts)


class PriceSettings(Table):
    """`[prices."MODEL"]`: USD per million tokens, for a model that is in no list or costs you something else."""

    input: PerMillion
    output: PerMillion
    cached: PerMillion | None = None
    """Of input read from the provider's cache; None: as `input`."""
    cache_write: PerMillion | None = None
    """Of input written to it; None: as `input`."""

    @property
    def price(self) -> Price:
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.cache_write is None else self.cache_write
        return Price(*(Decimal(str(amount)) for amount in (self.input, self.output, cached, written)))
