"""A budget that many agents share, on a real server. Nothing in here is faked but the prices."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from waiting import Connect, Go

from callboard.agents.brains.budget import Budget, CallEstimate, Reservation, Usage
from callboard.agents.brains.prices import Price, Prices
from callboard.agents.brains.run_budget import RunBudget
from callboard.bus.board import BudgetDoc, Change, TaskDoc
from callboard.bus.bus import Bus
from callboard.bus.caps import RUN, Caps, Exhausted, Limits, OpenCall, Worked
from callboard.bus.errors import BudgetSpent
from callboard.bus.messages import new_id
from callboard.bus.task import UNTIERED, OwnCaps, TaskSpec

DOLLAR = Price(input=Decimal(1), output=Decimal(1), cached=Decimal(1), cache_write=Decimal(1))
PRICES = Prices({"m": DOLLAR})
WIDE = Caps(tokens=10**9, micro_usd=10**12, minutes=10**6, attempts=10**6)
ESTIMATE = CallEstimate("T-1", "m", input_tokens=600, max_output_tokens=400)
AGENTS = 10


async def limited(bus: Bus, limits: Limits, doc: BudgetDoc | None = None) -> None:
    budget = (doc or BudgetDoc()).model_copy(update={"version": 1, "limits": limits})
    await bus.change([Change("budget", budget)], sender="launcher")


def wide(run: Caps = WIDE, task: Caps = WIDE, agent: Caps = WIDE, tier: Caps = WIDE) -> Limits:
    return Limits(run=run, task=task, agent=agent, tier=tier)


def tokens(most: int) -> Caps:
    return WIDE.model_copy(update={"tokens": most})


async def nothing(_: float) -> None:
    """Waits for nobody: where a test's calls are settled by nobody else."""


# --- ten agents and one cap ------------------------------------------------------------------------


@dataclass
class PaidService:
    """What is called: it counts what it was paid by itself."""

    dice: random.Random
    tokens: int = 0
    most: int = 0
    """The dearest call."""
    in_flight: int = 0
    crowd: int = 0
    """The most calls at once."""

    async def call(self, estimate: CallEstimate) -> Usage:
        self.in_flight += 1
        self.crowd = max(self.crowd, self.in_flight)
        for _ in range(self.dice.randrange(1, 20)):
            await asyncio.sleep(0)
        usage = Usage(estimate.input_tokens, self.dice.randrange(1, estimate.max_output_tokens + 1))
        self.tokens += usage.tokens
        self.most = max(self.most, usage.tokens)
        self.in_flight -= 1
        return usage


async def work(budget: Budget, service: PaidService) -> None:
    """Calls until there is no room, like an agent that never finishes."""
    while True:
        try:
            held = await budget.reserve(ESTIMATE)
        except BudgetSpent:
            return
        await budget.settle(held, await service.call(ESTIMATE))


@dataclass
class OnlySettled:
    """The same budget with its reservation removed: what calls cost is counted, and nothing is asked before."""

    budget: RunBudget
    left: int = 20
    """Calls after which the agent has finished."""

    async def reserve(self, call: CallEstimate) -> Reservation:
        self.left -= 1
        if self.left < 0:
            raise BudgetSpent("finished", scope=RUN, what="tokens", used=0, cap=0)
        return Reservation("")

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        held = OpenCall(id=new_id(), agent=self.budget.agent, task="T-1", model="m", tokens=0, micro_usd=0)
        await self.budget.bus.spending.reserve(held, {}, ())
        await self.budget.settle(Reservation(held.id), usage)


@dataclass
class OnlyLooked:
    """The same budget that looks for room before each call, and holds nothing back."""

    budget: RunBudget
    all_have_looked: asyncio.Barrier

    async def reserve(self, call: CallEstimate) -> Reservation:
        held = await self.budget.reserve(call)
        await self.budget.settle(held, Usage())
        await self.all_have_looked.wait()
        return held

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        raise BudgetSpent("one call is enough", scope=RUN, what="tokens", used=0, cap=0)


def test_ten_agents_pass_a_cap_by_less_than_one_call(connect: Connect, go: Go) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    service, cap = PaidService(random.Random(seed)), 60_000

    async def scenario() -> None:
        first = await connect()
        await limited(first, wide(run=tokens(cap)))
        budgets = [RunBudget(await connect(), f"driver-{n}", PRICES) for n in range(AGENTS)]
        await asyncio.gather(*(work(budget, service) for budget in budgets))
        seen = await first.spending.seen()
        assert seen.open == ()
        assert seen.of(RUN).tokens == service.tokens, "what is recorded is what the service counts"
        assert cap <= service.tokens < cap + ESTIMATE.tokens, "one call, not one for each agent"
        assert service.crowd > 1, "they did work at the same time"
        assert seen.of(RUN).micro_usd == service.tokens

    go(scenario())


def test_without_the_reservation_they_would_pass_it_by_more_than_a_call_each(connect: Connect, go: Go) -> None:
    service, cap = PaidService(random.Random(1)), 60_000

    async def scenario() -> None:
        first = await connect()
        await limited(first, wide(run=tokens(cap)))
        budgets = [OnlySettled(RunBudget(await connect(), f"driver-{n}", PRICES)) for n in range(AGENTS)]
        await asyncio.gather(*(work(budget, service) for budget in budgets))
        assert (await first.spending.seen()).of(RUN).tokens == service.tokens
        assert service.tokens > cap + AGENTS * ESTIMATE.tokens

    go(scenario())


def test_looking_before_each_call_would_not_be_enough(connect: Connect, go: Go) -> None:
    """Every agent finds the last bit of room, and all of them take it."""
    service, cap = PaidService(random.Random(1)), 100

    async def scenario() -> None:
        await limited(await connect(), wide(run=tokens(cap)))
        barrier = asyncio.Barrier(AGENTS)
        budgets = [OnlyLooked(RunBudget(await connect(), f"driver-{n}", PRICES), barrier) for n in range(AGENTS)]
        await asyncio.gather(*(work(budget, service) for budget in budgets), return_exceptions=True)
        assert service.tokens >= AGENTS * ESTIMATE.input_tokens > cap + ESTIMATE.tokens

    go(scenario())


# --- one call ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "limits"),
    [
        ("run", wide(run=tokens(1_000))),
        ("task:T-1", wide(task=tokens(1_000))),
        ("agent:driver-1", wide(agent=tokens(1_000))),
    ],
)
def test_a_spent_cap_refuses_and_says_whose_it_is(bus: Bus, go: Go, scope: str, limits: Limits) -> None:
    async def scenario() -> None:
        await limited(bus, limits)
        budget = RunBudget(bus, "driver-1", PRICES)
        await budget.settle(await budget.reserve(ESTIMATE), Usage(600, 400))
        with pytest.raises(BudgetSpent, match=r"is spent: 1,000 tokens of 1,000 tokens") as caught:
            await budget.reserve(ESTIMATE)
        assert (caught.value.scope, caught.value.what) == (scope, "tokens")

    go(scenario())


def test_money_is_counted_to_the_millionth(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await limited(bus, wide(run=WIDE.model_copy(update={"micro_usd": 1_500})))
        budget = RunBudget(bus, "driver-1", PRICES)
        await budget.settle(await budget.reserve(ESTIMATE), Usage(500, 1, usd=Decimal("0.0014999")))
        assert (await bus.spending.seen()).of(RUN).micro_usd == 1_500, "a part of a millionth is rounded up"
        with pytest.raises(BudgetSpent, match=r"0\.0015 USD of 0\.0015 USD"):
            await budget.reserve(ESTIMATE)

    go(scenario())


def test_an_unknown_price_is_held_to_the_cap_on_tokens(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await limited(bus, wide(run=tokens(1_000).model_copy(update={"micro_usd": 1})))
        budget = RunBudget(bus, "driver-1", Prices())
        await budget.settle(await budget.reserve(ESTIMATE), Usage(600, 400))
        seen = (await bus.spending.seen()).of(RUN)
        assert (seen.micro_usd, seen.unpriced, seen.tokens) == (0, 1, 1_000)
        with pytest.raises(BudgetSpent):
            await budget.reserve(ESTIMATE)

    go(scenario())


def test_the_tasks_of_a_tier_share_its_cap(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await limited(bus, wide(tier=tokens(1_500)))
        for id, tier in (("T-1", "later"), ("T-2", "later"), ("T-3", UNTIERED)):
            spec = TaskSpec(key=f"a/{id}", title=id, agent="a", tier=tier)
            await bus.change([Change(f"task:{id}", TaskDoc(version=1, id=id, spec=spec))], sender="launcher")
        for id, agent in (("T-1", "driver-1"), ("T-2", "driver-2")):
            budget = RunBudget(bus, agent, PRICES)
            await budget.settle(await budget.reserve(replace(ESTIMATE, task=id)), Usage(600, 400))
        with pytest.raises(BudgetSpent, match="the budget of tier later is spent: 2,000 tokens of 1,500 tokens"):
            await RunBudget(bus, "driver-1", PRICES).reserve(ESTIMATE)
        await RunBudget(bus, "driver-1", PRICES).reserve(replace(ESTIMATE, task="T-3"))

    go(scenario())


def test_a_tasks_own_budget_stands_above_the_default(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await limited(bus, wide())
        spec = TaskSpec(key="a/b", title="b", agent="a", budget=OwnCaps(tokens=500))
        await bus.change([Change("task:T-1", TaskDoc(version=1, id="T-1", spec=spec))], sender="launcher")
        budget = RunBudget(bus, "driver-1", PRICES)
        await budget.settle(await budget.reserve(ESTIMATE), Usage(600, 400))
        with pytest.raises(BudgetSpent, match="of 500 tokens"):
            await budget.reserve(ESTIMATE)

    go(scenario())


def test_what_a_person_raised_counts_at_once(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await limited(bus, wide(run=tokens(1_000)))
        budget = RunBudget(bus, "driver-1", PRICES)
        await budget.settle(await budget.reserve(ESTIMATE), Usage(600, 400))
        raised = (await bus.doc("budget", BudgetDoc)).model_copy(
            update={"version": 2, "raised": {"run": OwnCaps(tokens=2_000)}}
        )
        await bus.change([Change("budget", raised)], sender="manager")
        await budget.reserve(ESTIMATE)

    go(scenario())


@pytest.mark.parametrize(
    ("doc", "refused"),
    [
        (BudgetDoc(worked={"run": Worked(minutes=5)}), True),
        (BudgetDoc(worked={"run": Worked(minutes=4)}), False),
        (BudgetDoc(exhausted={"task:T-1": Exhausted(what="usd", used=2, cap=1)}), True),
        (BudgetDoc(exhausted={"task:T-2": Exhausted(what="usd", used=2, cap=1)}), False),
        (BudgetDoc(exhausted={"run": Exhausted(what="attempts", used=2, cap=1)}), False),
    ],
)
def test_what_the_desk_counts_refuses_too(bus: Bus, go: Go, doc: BudgetDoc, refused: bool) -> None:
    """A begun attempt may go on when no more may begin."""

    async def scenario() -> None:
        await limited(bus, wide(run=WIDE.model_copy(update={"minutes": 5})), doc)
        budget = RunBudget(bus, "driver-1", PRICES)
        if not refused:
            await budget.reserve(ESTIMATE)
            return
        with pytest.raises(BudgetSpent):
            await budget.reserve(ESTIMATE)

    go(scenario())


def test_a_call_waits_for_what_others_hold_back_and_gets_what_becomes_free(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await limited(bus, wide(run=tokens(1_000)))
        other = RunBudget(bus, "driver-2", PRICES)
        held = await other.reserve(ESTIMATE)

        async def meanwhile(_: float) -> None:
            await other.settle(held, Usage(10, 10))

        await RunBudget(bus, "driver-1", PRICES, sleep=meanwhile).reserve(ESTIMATE)

    go(scenario())


def test_a_call_does_not_wait_for_ever_for_what_a_killed_process_holds_back(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await limited(bus, wide(run=tokens(1_000)))
        await RunBudget(bus, "killed", PRICES).reserve(ESTIMATE)
        with pytest.raises(BudgetSpent, match="1,000 tokens are held back for calls that are not settled"):
            await RunBudget(bus, "driver-1", PRICES, sleep=nothing).reserve(ESTIMATE)

    go(scenario())


def test_settling_a_recorded_call_again_after_a_crash_counts_it_once(connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        bus = await connect()
        await limited(bus, wide())
        held = await RunBudget(bus, "driver-1", PRICES).reserve(ESTIMATE)
        for _ in range(2):
            await RunBudget(await connect(), "driver-1", PRICES).settle(Reservation(held.id), Usage(600, 1))
        assert (await bus.spending.seen()).of(RUN).tokens == 601

    go(scenario())


def test_a_negative_count_that_came_this_far_would_give_back_what_others_spent(connect: Connect, go: Go) -> None:
    """The control of tests/unit/agents/brains/test_false_counts.py."""

    async def scenario() -> None:
        bus = await connect()
        await limited(bus, wide())
        budget = RunBudget(bus, "driver-1", PRICES)
        for said in (Usage(500, 0), Usage(-400, 0)):
            await budget.settle(await budget.reserve(ESTIMATE), said)
        assert (await bus.spending.seen()).of(RUN).tokens == 100

    go(scenario())
