"""Caps on what work may use, and what it has used: tokens, money, minutes and attempts of the run, a tier, a task or an agent.

A scope is `run`, `tier:<name>`, `task:<id>`, `agent:<name>`, or, for counting only, `model:<name>`.
Money is whole millionths of a US dollar: scripts on the server add and compare it exactly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from callboard.bus.categories import is_high_risk
from callboard.bus.issue_caps import IssueLimits
from callboard.bus.states import NOTICE
from callboard.bus.task import UNTIERED, Fact, OwnCaps

What = Literal["tokens", "usd", "minutes", "attempts", "gate_runs"]
PaidIn = Literal["tokens", "usd"]
PAID_IN: tuple[PaidIn, ...] = ("tokens", "usd")
"""What calls cost."""
RUN = "run"
MICRO = Decimal(1_000_000)


def micro_usd(usd: Decimal) -> int:
    """Rounded up, so that what is counted is never less than what was paid."""
    return int((usd * MICRO).to_integral_value(ROUND_CEILING))


def in_usd(micros: int) -> Decimal:
    return Decimal(micros) / MICRO


def is_much(used: float, cap: float) -> bool:
    return used * 100 >= cap * NOTICE


def tier_scopes(tier: str) -> tuple[str, ...]:
    """None for tasks that are in no tier."""
    return () if tier in ("", UNTIERED) else (f"tier:{tier}",)


def task_scope(task: str) -> str:
    return f"task:{task}"


def agent_scope(agent: str) -> str:
    return f"agent:{agent}"


def scopes_of(task: str, tier: str, agent: str) -> tuple[str, ...]:
    """Whose caps an agent's work on a task counts against, the widest first."""
    return RUN, *tier_scopes(tier), task_scope(task), agent_scope(agent)


class Caps(Fact):
    """The most a scope may use."""

    tokens: int
    micro_usd: int
    minutes: int
    attempts: int

    def of(self, what: What) -> int:
        return self.micro_usd if what == "usd" else int(getattr(self, what))

    def with_own(self, own: OwnCaps) -> Caps:
        """The same where `own` says nothing."""
        said = own.model_dump(exclude_none=True, exclude={"gate_runs"}) if own.model_fields_set else {}
        return self.model_copy(update=said) if said else self


class Limits(Fact):
    """The caps of a workspace: what `[budget]` says, or these. Run: 5M tokens, 120 minutes and 25 USD; a task may use a
    fifth of it in half the time; a tier or an agent three fifths, so that no one of them can use up what the others need."""

    run: Caps = Caps(tokens=5_000_000, micro_usd=25_000_000, minutes=120, attempts=300)
    task: Caps = Caps(tokens=1_000_000, micro_usd=5_000_000, minutes=60, attempts=3)
    """Of each task, over all its attempts and reviews, unless its own Budget says otherwise."""
    tier: Caps = Caps(tokens=3_000_000, micro_usd=15_000_000, minutes=120, attempts=150)
    """Of each tier: all its tasks together."""
    agent: Caps = Caps(tokens=3_000_000, micro_usd=15_000_000, minutes=120, attempts=150)
    """Of each agent, over the whole run."""
    made_tasks: int = 25
    """Tasks of a run that agents or models made; people's are not counted."""
    tier_gate_runs_per_task: int = 2
    """Gates that a tier may run: this times its tasks."""
    high_risk_attempts: int = 2
    """Of a task of a high-risk category (bus/categories.py), unless its own Budget says otherwise."""
    issues: IssueLimits = IssueLimits()

    def own_caps(self, budget: OwnCaps, category: str) -> OwnCaps:
        """What a task of a category has to itself, where its own Budget says nothing."""
        if budget.attempts is not None or not is_high_risk(category):
            return budget
        return budget.model_copy(update={"attempts": min(self.high_risk_attempts, self.task.attempts)})

    def of(self, scope: str) -> Caps:
        match scope.partition(":")[0]:
            case "run":
                return self.run
            case "tier":
                return self.tier
            case "task":
                return self.task
            case _:
                return self.agent


class Worked(Fact):
    """What a scope has used that the desk counts."""

    minutes: int = 0
    """Whole minutes; agents/manager/budget.py says which count."""
    attempts: int = 0
    gate_runs: int = 0
    """Of tiers: gates that came to a verdict."""


class Reached(Fact):
    """How much of a cap a scope has used, at a moment at which that matters."""

    scope: str
    what: What
    used: int
    cap: int


class Exhausted(Fact):
    """A scope that has used up its cap, until a person raises it."""

    what: What
    used: int
    cap: int
    question: str = ""
    """The question that a person answers to raise it."""
    stopped: bool = False
    """A person answered that it stays as it is."""


class Spent(Fact):
    """What the settled calls of a scope have cost."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Of `input_tokens`."""
    micro_usd: int = 0
    """Of the calls whose price is known."""
    unpriced: int = 0
    """Calls whose price nobody knows; they count in tokens alone."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def used(self, what: PaidIn) -> int:
        return self.tokens if what == "tokens" else self.micro_usd


class OpenCall(Fact):
    """A reservation: what one call may cost at most, from before it is made until it is settled."""

    id: str
    agent: str
    task: str
    model: str
    tokens: int
    micro_usd: int | None
    """None = unknown."""
    tier: str = ""
    """Of the task; "" = it is in none."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Whose caps it counts against."""
        return scopes_of(self.task, self.tier, self.agent)


def amounts(call: OpenCall, paid: Spent) -> list[tuple[str, int]]:
    """What settling a call adds to the run's spend: field (bus/keys.py) and amount."""
    counted = {what: amount for what, amount in paid.model_dump().items() if amount}
    scopes = (*call.scopes, f"model:{call.model}")
    return [(f"{scope} {what}", amount) for scope in scopes for what, amount in counted.items()]


class SpentSeen(Fact):
    """What a run had spent at one moment."""

    spent: Mapping[str, Spent] = {}
    """By scope; models too."""
    open: tuple[OpenCall, ...] = ()
    """Oldest first."""

    def of(self, scope: str) -> Spent:
        return self.spent.get(scope, Spent())

    def held(self, scope: str) -> tuple[int, int]:
        """Tokens and millionths of a dollar that open calls hold back."""
        calls = [call for call in self.open if scope in call.scopes]
        return sum(call.tokens for call in calls), sum(call.micro_usd or 0 for call in calls)


def called(scope: str) -> str:
    """`the run`, `tier setup`, `T-3`, `driver-1`."""
    kind, _, name = scope.partition(":")
    return "the run" if scope == RUN else f"tier {name}" if kind == "tier" else name


_AMOUNT = re.compile(r"\$?\s*(?P<number>\d{1,12}(?:\.\d{1,6})?)\s*(?P<unit>[a-z$ ]*)", re.IGNORECASE | re.ASCII)
_UNITS: Mapping[What, Mapping[str, int]] = {
    "tokens": {"": 1, "tokens": 1, "k": 1_000, "m": 1_000_000},
    "usd": {"": 1_000_000, "$": 1_000_000, "usd": 1_000_000},
    "minutes": {"": 1, "min": 1, "minutes": 1, "h": 60},
    "attempts": {"": 1, "attempts": 1},
    "gate_runs": {"": 1, "gate runs": 1, "runs": 1},
}


def read_amount(what: What, text: str) -> int | None:
    """An amount as a person writes it: `6M`, `6,000,000 tokens`, `50`, `$50`, `3 h`; None for what it is not."""
    found = _AMOUNT.fullmatch(text.strip().replace(",", "").replace("_", ""))
    unit = _UNITS[what].get(found["unit"].lower()) if found else None
    if found is None or unit is None or ("$" in text and what != "usd"):
        return None
    amount = Decimal(found["number"]) * unit
    return int(amount) if amount == int(amount) else None


def shown(what: What, amount: int) -> str:
    """An amount for people: `5,000,000 tokens`, `25.00 USD`, `120 minutes`."""
    if what == "usd":
        cents = in_usd(amount).quantize(Decimal("0.01"))
        return f"{cents if amount == 0 or cents else in_usd(amount).normalize():f} USD"
    return f"{amount:,} {what.replace('_', ' ')}"
