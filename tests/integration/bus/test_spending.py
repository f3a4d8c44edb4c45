"""Reservations and spend, counted on a real server over all agents at once."""

from __future__ import annotations

import asyncio
import random

import pytest
from servers import Server
from waiting import Connect, Go

from callboard.bus.board import BudgetDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.caps import RUN, Caps, OpenCall, Spent, agent_scope, task_scope
from callboard.bus.errors import BoardStale, BusError
from callboard.bus.messages import new_id
from callboard.bus.spending import Full

WIDE = Caps(tokens=10**9, micro_usd=10**9, minutes=1, attempts=1)
PAID = Spent(calls=1, input_tokens=70, output_tokens=20, cached_tokens=30, micro_usd=5)


def a_call(
    *, id: str = "", agent: str = "a", task: str = "T-1", tokens: int = 100, usd: int | None = 9, tier: str = ""
) -> OpenCall:
    model = "p:m 1/2"
    return OpenCall(id=id or new_id(), agent=agent, task=task, model=model, tokens=tokens, micro_usd=usd, tier=tier)


async def reserve(bus: Bus, call: OpenCall, **caps: Caps) -> Full | None:
    """Under caps by kind of scope; wide ones where none is named."""
    kinds = {RUN: RUN, "task": task_scope(call.task), "agent": agent_scope(call.agent)}
    if call.tier:
        kinds["tier"] = f"tier:{call.tier}"
    return await bus.spending.reserve(call, {scope: caps.get(kind, WIDE) for kind, scope in kinds.items()}, ())


def test_a_reservation_is_held_until_its_call_is_settled(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        call = a_call()
        assert await reserve(bus, call) is None
        before = await bus.spending.seen()
        assert before.open == (call,)
        assert before.spent == {}
        assert [before.held(scope) for scope in (RUN, "task:T-1", "agent:a", "agent:b")] == [(100, 9)] * 3 + [(0, 0)]
        assert await bus.spending.settle(call.id, PAID)
        after = await bus.spending.seen()
        assert after.open == ()
        assert after.spent == dict.fromkeys(("run", "task:T-1", "agent:a", "model:p:m 1/2"), PAID)
        assert after.of(RUN).tokens == 90

    go(scenario())


def test_a_repeat_reserves_and_settles_once(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        call = a_call()
        for _ in range(3):
            assert await reserve(bus, call) is None
        assert (await bus.spending.seen()).held(RUN) == (100, 9)
        assert [await bus.spending.settle(call.id, PAID) for _ in range(3)] == [True, False, False]
        assert (await bus.spending.seen()).of(RUN) == PAID
        assert await bus.seq() == 2

    go(scenario())


def test_settling_what_was_never_reserved_counts_nothing(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        assert not await bus.spending.settle(new_id(), PAID)
        assert (await bus.spending.seen()).spent == {}

    go(scenario())


@pytest.mark.parametrize(("scope", "kind"), [("run", "run"), ("task:T-1", "task"), ("agent:a", "agent")])
@pytest.mark.parametrize(("what", "cap"), [("tokens", 150), ("usd", 15)])
def test_there_is_room_while_settled_and_held_are_below_every_cap(
    bus: Bus, go: Go, scope: str, kind: str, what: str, cap: int
) -> None:
    async def scenario() -> None:
        caps = {kind: WIDE.model_copy(update={"tokens" if what == "tokens" else "micro_usd": cap})}
        first, second = a_call(), a_call()
        assert await reserve(bus, first, **caps) is None
        assert await reserve(bus, second, **caps) is None, "100 of 150 leave room for one more"
        refused = await reserve(bus, a_call(), **caps)
        each = 100 if what == "tokens" else 9
        assert refused == Full(scope, "tokens" if what == "tokens" else "usd", 0, 2 * each, cap)
        assert not refused.is_spent
        await bus.spending.settle(first.id, Spent(calls=1))
        assert await reserve(bus, a_call(), **caps) is None, "what cost nothing makes room"
        await bus.spending.settle(second.id, Spent(calls=1, input_tokens=cap, micro_usd=cap))
        spent = await reserve(bus, a_call(), **caps)
        assert spent is not None
        assert spent.is_spent

    go(scenario())


def test_others_caps_are_not_touched(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        small = WIDE.model_copy(update={"tokens": 100})
        assert await reserve(bus, a_call(), task=small, agent=small) is None
        assert await reserve(bus, a_call(agent="b", task="T-2"), task=small, agent=small) is None
        assert await reserve(bus, a_call(agent="b", task="T-1"), task=small) is not None

    go(scenario())


def test_an_unknown_price_counts_in_tokens_alone(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        call = a_call(usd=None)
        await reserve(bus, call)
        assert (await bus.spending.seen()).held(RUN) == (100, 0)
        await bus.spending.settle(call.id, Spent(calls=1, input_tokens=5, unpriced=1))
        assert (await bus.spending.seen()).of(RUN) == Spent(calls=1, input_tokens=5, unpriced=1)
        tokens = WIDE.model_copy(update={"tokens": 5})
        assert await reserve(bus, a_call(usd=None), run=tokens) is not None

    go(scenario())


def test_caps_that_were_raised_meanwhile_are_read_again(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.change([Change("budget", BudgetDoc(version=1))], sender="launcher")
        with pytest.raises(BoardStale):
            await bus.spending.reserve(a_call(), {RUN: WIDE}, [("budget", 0)])
        assert (await bus.spending.seen()).open == ()
        assert await bus.spending.reserve(a_call(), {RUN: WIDE}, [("budget", 1)]) is None

    go(scenario())


def test_the_journal_tells_what_every_call_may_and_did_cost(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        call = a_call()
        await reserve(bus, call)
        await bus.spending.settle(call.id, PAID)
        held, entry = [each async for each in bus.journal()]
        assert (held.step, held.sender, held.call) == ("reserve", "a", call)
        assert (entry.step, entry.sender) == ("settle", "a")
        assert entry.paid is not None
        assert (entry.paid.call, entry.paid.paid) == (call, PAID)

    go(scenario())


def test_a_key_of_another_type_is_left_alone(bus: Bus, go: Go, server: Server) -> None:
    async def scenario() -> None:
        server.ask("SET", bus.keys.spend, "x")
        for work in (reserve(bus, a_call()), bus.spending.seen()):
            with pytest.raises(BusError, match="holds a string where the bus keeps a hash"):
                await work

    go(scenario())


def test_many_connections_reserve_and_settle_as_a_model_says(connect: Connect, go: Go) -> None:
    """Any order of reserving and settling leaves what adding up by hand gives."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)

    async def scenario() -> None:
        buses = [await connect() for _ in range(6)]
        small = WIDE.model_copy(update={"tokens": 4_000})
        held: dict[str, OpenCall] = {}
        paid: dict[str, int] = {}

        async def one(bus: Bus) -> None:
            for _ in range(40):
                agent, (task, tier) = dice.choice("ab"), dice.choice([("T-1", ""), ("T-2", "x"), ("T-3", "x")])
                call = a_call(agent=agent, task=task, tier=tier, tokens=dice.randrange(1, 300))
                if await reserve(bus, call, agent=small, tier=small) is not None:
                    continue
                held[call.id] = call
                if dice.random() < 0.9:
                    cost = dice.randrange(call.tokens + 1)
                    await asyncio.gather(
                        *(bus.spending.settle(call.id, Spent(calls=1, input_tokens=cost)) for bus in buses[:2])
                    )
                    del held[call.id]
                    for scope in call.scopes:
                        paid[scope] = paid.get(scope, 0) + cost

        await asyncio.gather(*map(one, buses))
        seen = await buses[0].spending.seen()
        assert {call.id: call for call in seen.open} == held
        assert {scope: seen.of(scope).tokens for scope in paid} == paid
        for scope in ("agent:a", "agent:b", "tier:x"):
            assert seen.of(scope).tokens + seen.held(scope)[0] < 4_000 + 300

    go(scenario())
