"""Failover, retries and parking over scripted models; time passes by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import ModelResponse, TextPart

from callboard.agents.brains.model.calling import PATIENCE_S, Heard, ModelCall, Reply
from callboard.agents.brains.model.providers import REST_S, UNSAID_S, Backoff, Providers
from callboard.bus.errors import BrainParked, BudgetSpent, CallFailed, CallFailure

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RETRIES = 3
Said = str | float
"""A text; a cause; seconds of a limit."""


class Scripted:
    """A model that says or fails one after the other; the last again and again."""

    def __init__(self, name: str, *said: Said) -> None:
        self.name = name
        self.said = list(said)
        self.calls = 0
        self.retries = RETRIES

    async def call(self, call: ModelCall, heard: Heard) -> Reply:
        self.calls += 1
        now = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(now, float):
            raise CallFailed(f"{self.name}: 429", model=self.name, cause="rate_limit", retry_after_s=now)
        cause = next((cause for cause in get_args(CallFailure) if cause == now), None)
        if cause:
            raise CallFailed(f"{self.name}: {now}", model=self.name, cause=cause)
        return Reply(ModelResponse(parts=[TextPart(now)]), self.name)


class Rig:
    def __init__(self, *models: Scripted) -> None:
        self.now = NOON
        self.slept: list[float] = []
        self.heard: list[str] = []
        backoff = Backoff(draw=lambda: 1.0)
        self.providers = Providers(models, backoff=backoff, sleep=self._sleep, now=lambda: self.now)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    async def _hear(self, text: str) -> None:
        self.heard.append(text)

    def ask(self, patience_s: float = PATIENCE_S) -> str:
        """Who answered."""
        return asyncio.run(self.providers.call(ModelCall("T-1", (), patience_s=patience_s), self._hear)).model

    def parked(self, patience_s: float = PATIENCE_S) -> BrainParked:
        with pytest.raises(BrainParked) as caught:
            self.ask(patience_s)
        return caught.value


@pytest.mark.parametrize("cause", ["unavailable", "unreachable", "timeout", "unreadable"])
def test_what_fails_for_a_moment_is_tried_again_after_longer_and_longer_pauses(cause: CallFailure) -> None:
    rig = Rig(Scripted("big", cause, cause, cause, "fine"))
    assert rig.ask() == "big"
    assert rig.slept == [1.0, 2.0, 4.0]
    assert rig.heard[0] == f"\nwaits 1 s, then tries big again: big: {cause}\n"


@pytest.mark.parametrize("cause", ["unavailable", "unreachable", "timeout", "unreadable"])
def test_a_model_that_is_down_makes_way_for_the_next(cause: CallFailure) -> None:
    big, small = Scripted("big", cause), Scripted("small", "fine")
    rig = Rig(big, small)
    assert (rig.ask(), big.calls) == ("small", 1 + RETRIES)


@pytest.mark.parametrize("cause", ["denied", "quota", "rejected"])
def test_what_will_not_change_is_not_tried_again(cause: CallFailure) -> None:
    big, small = Scripted("big", cause), Scripted("small", "fine")
    rig = Rig(big, small)
    assert (rig.ask(), big.calls, rig.slept) == ("small", 1, [])


def test_a_model_that_was_down_is_asked_last_for_a_while_and_first_again_after_it() -> None:
    big, small = Scripted("big", *["unavailable"] * (1 + RETRIES), "fine"), Scripted("small", "fine")
    rig = Rig(big, small)
    rig.ask()
    assert (rig.ask(), big.calls) == ("small", 1 + RETRIES)
    rig.now += timedelta(seconds=REST_S)
    assert rig.ask() == "big"


def test_a_model_that_rests_is_still_there_when_the_others_fail() -> None:
    big, small = Scripted("big", *["unavailable"] * (1 + RETRIES), "fine"), Scripted("small", "fine", "denied")
    rig = Rig(big, small)
    assert (rig.ask(), rig.ask()) == ("small", "big")


def test_a_short_limit_is_waited_for() -> None:
    rig = Rig(Scripted("big", 3.0, "fine"))
    assert (rig.ask(), rig.slept) == ("big", [3.0])


def test_a_long_limit_parks_until_its_end_at_once() -> None:
    big = Scripted("big", 1800.0)
    rig = Rig(big)
    parked = rig.parked()
    assert (parked.cause, parked.until) == ("rate_limit", NOON + timedelta(minutes=30))
    assert str(parked) == "at its provider's limit: big: 429"
    assert (big.calls, rig.slept) == (1, [])


def test_a_limit_that_ends_within_the_callers_patience_is_waited_for() -> None:
    rig = Rig(Scripted("big", 600.0, "fine"))
    assert (rig.ask(patience_s=800), rig.slept) == ("big", [600.0])


def test_a_limit_that_does_not_say_when_backs_off_and_then_parks_for_a_minute() -> None:
    rig = Rig(Scripted("big", "rate_limit"))
    parked = rig.parked()
    assert rig.slept == [1.0, 2.0, 4.0]
    assert parked.until == rig.now + timedelta(seconds=UNSAID_S)


def test_at_a_limit_the_next_model_answers_and_the_earliest_end_counts_where_none_can() -> None:
    assert Rig(Scripted("big", 1800.0), Scripted("small", "fine")).ask() == "small"
    parked = Rig(Scripted("big", 1800.0), Scripted("down", "denied"), Scripted("small", 900.0)).parked()
    assert (parked.cause, parked.until) == ("rate_limit", NOON + timedelta(minutes=15))


def test_a_dead_provider_parks_with_everything_that_was_tried() -> None:
    parked = Rig(Scripted("big", "unreachable"), Scripted("small", "denied")).parked()
    assert (parked.cause, parked.until) == ("provider", None)
    assert str(parked) == ("no model can be reached: big: unreachable (tried 4 times); small: denied")


@pytest.mark.parametrize("cause", ["rejected", "unreadable"])
def test_a_request_at_fault_or_garbage_fails_the_attempt_and_stops_nobody(cause: CallFailure) -> None:
    with pytest.raises(CallFailed) as caught:
        Rig(Scripted("big", cause)).ask()
    assert caught.value.cause == cause


def test_a_spent_budget_is_no_reason_to_ask_another() -> None:
    class Broke(Scripted):
        async def call(self, call: ModelCall, heard: Heard) -> Reply:
            raise BudgetSpent("no tokens left", scope="run", what="tokens", used=9, cap=9)

    small = Scripted("small", "fine")
    with pytest.raises(BudgetSpent):
        Rig(Broke("big", "fine"), small).ask()
    assert small.calls == 0


def test_how_often_is_the_models_own_setting() -> None:
    big = Scripted("big", "unavailable")
    big.retries = 0
    assert str(Rig(big).parked()) == "no model can be reached: big: unavailable"
    assert big.calls == 1


@given(st.integers(0, 60), st.floats(0, 1), st.floats(0.1, 10), st.floats(10, 100))
def test_a_pause_is_never_longer_than_it_may_be_nor_under_its_half(
    retry: int, drawn: float, first_s: float, longest_s: float
) -> None:
    pause_s = Backoff(first_s, longest_s, lambda: drawn).pause_s(retry)
    full = min(first_s * 2.0**retry, longest_s)
    assert full / 2 <= pause_s <= full


def test_the_same_draws_make_the_same_pauses() -> None:
    def drawn(values: list[float]) -> Callable[[], float]:
        return lambda: values.pop(0)

    assert Backoff(draw=drawn([0.0, 1.0])).pause_s(3) == 4.0
    assert [Backoff(draw=drawn([0.0, 1.0])).pause_s(n) for n in (0, 9)] == [0.5, 15.0]
