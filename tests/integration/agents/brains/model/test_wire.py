"""One model over the three wire formats, against a server that speaks them."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import get_args

import psutil
import pytest
from model_calls import a_call, model_settings, nobody
from model_faults import Cut, Hang, NotJson, RateLimited, Status
from model_faults import Reply as Answer
from model_server import ModelServer
from model_wire import Asked, Format, Say, ToolCall
from pydantic_ai.messages import TextPart, ToolCallPart

from callboard.agents.brains.budget import NOTHING, Budget, CallEstimate, Reservation, Usage
from callboard.agents.brains.model.calling import Reply, response_as_json, response_from_json
from callboard.agents.brains.model.wire import OneModel
from callboard.agents.brains.prices import Price, Prices
from callboard.bus.errors import CallFailed, CallFailure

formats = pytest.mark.parametrize("wire", get_args(Format))


def ask(
    server: ModelServer, wire: Format, key: str | None = "key", *, budget: Budget | None = None, **more: object
) -> Reply:
    model = OneModel("opus", model_settings(server, wire, **more), key, budget=budget)
    return asyncio.run(model.call(a_call("x" * 4000), nobody))


class Purse:
    """A budget without limits that remembers."""

    def __init__(self) -> None:
        self.reserved: list[CallEstimate] = []
        self.settled: list[tuple[Reservation, Usage]] = []

    async def reserve(self, call: CallEstimate) -> Reservation:
        self.reserved.append(call)
        return Reservation(str(len(self.reserved)))

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        self.settled.append((reservation, usage))


@formats
def test_text_and_tool_calls_arrive_while_they_are_streamed(wire: Format) -> None:
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    say = Say("I look. " * 20, calls=(ToolCall("read", {"path": "a.py"}),))
    with ModelServer(lambda asked: say) as server:
        reply = asyncio.run(OneModel("m", model_settings(server, wire), "key").call(a_call(), hear))
    text, call = reply.response.parts
    assert isinstance(text, TextPart)
    assert isinstance(call, ToolCallPart)
    assert (text.content, call.tool_name, call.args_as_dict()) == ("I look. " * 20, "read", {"path": "a.py"})
    assert "".join(heard) == "I look. " * 20
    assert len(heard) > 1
    assert server.served[0].asked.is_streamed
    assert reply.model == "m"
    assert reply.duration_s > 0


@formats
def test_usage_is_the_servers_own_count(wire: Format) -> None:
    with ModelServer(lambda asked: Say("fine")) as server:
        for _ in range(2):
            reply = ask(server, wire)
        tokens = server.served[-1].tokens
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (tokens.input, tokens.output)
    assert reply.usage.cached_tokens == tokens.cached > 0


@formats
def test_the_key_goes_where_it_belongs_and_nothing_from_the_environment(
    wire: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "from-the-environment")
    for name in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ModelServer(lambda asked: Say("fine")) as server:
        ask(server, wire, "the-key")
        ask(server, wire, None)
    keyed, keyless = (dict(served.asked.headers) for served in server.served)
    assert "the-key" in " ".join(keyed.values())
    assert "from-the-environment" not in " ".join((*keyed.values(), *keyless.values()))


def test_prompt_caching_is_asked_for_where_the_provider_has_it() -> None:
    with ModelServer(lambda asked: Say("fine")) as server:
        ask(server, "messages")
    body = server.served[0].asked.body
    assert body["tools"][-1]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
    assert "cache_control" in body


@formats
def test_what_settings_say_is_sent(wire: Format) -> None:
    with ModelServer(lambda asked: Say("fine")) as server:
        ask(server, wire, max_tokens=77, temperature=0.5, model="my-own")
    body = server.served[0].asked.body
    limit = {"messages": "max_tokens", "chat": "max_completion_tokens", "responses": "max_output_tokens"}[wire]
    assert (body["model"], body[limit], body["temperature"]) == ("my-own", 77, 0.5)


@formats
@pytest.mark.parametrize(
    ("fault", "cause", "is_free"),
    [
        (RateLimited(reset_s=30), "rate_limit", True),
        (Status(500), "unavailable", True),
        (Status(529), "unavailable", True),
        (Status(400, "no"), "rejected", True),
        (Status(401, "who"), "denied", True),
        (Status(404, "which"), "denied", True),
        (Cut(Say("half of it " * 50)), "unreachable", False),
        (NotJson(), "unreadable", False),
    ],
)
def test_a_fault_is_a_failure_with_its_cause_and_is_asked_once(
    wire: Format, fault: Answer, cause: CallFailure, is_free: bool
) -> None:
    purse = Purse()
    with ModelServer(lambda asked: fault) as server:
        with pytest.raises(CallFailed) as caught:
            ask(server, wire, budget=purse)
        assert server.requests == 1
    assert (caught.value.cause, caught.value.is_free, caught.value.model) == (cause, is_free, "opus")
    assert purse.settled == ([(Reservation("1"), NOTHING)] if is_free else [])
    if isinstance(fault, Status):
        assert str(caught.value) == f"the call to model opus failed: HTTP {fault.code} {fault.text}"
    if cause == "rate_limit":
        assert caught.value.retry_after_s == pytest.approx(30, abs=2)


@formats
def test_a_server_that_is_not_there_costs_nothing(wire: Format) -> None:
    with ModelServer(lambda asked: Say("")) as server:
        settings = model_settings(server, wire)
    with pytest.raises(CallFailed) as caught:
        asyncio.run(OneModel("m", settings, "key").call(a_call(), nobody))
    assert (caught.value.cause, caught.value.is_free) == ("unreachable", True)


@formats
def test_a_server_that_says_nothing_is_left_at_the_time_limit(wire: Format) -> None:
    with ModelServer(lambda asked: Hang()) as server, pytest.raises(CallFailed) as caught:
        ask(server, wire, timeout_s=0.5)
    assert (caught.value.cause, caught.value.is_free) == ("timeout", False)


@formats
def test_a_cancelled_call_leaves_no_connection(wire: Format) -> None:
    async def cancel_it() -> None:
        call = asyncio.create_task(OneModel("m", model_settings(server, wire), "key").call(a_call(), nobody))
        await asyncio.to_thread(asked.wait, 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asked = threading.Event()

    def hang(_: Asked) -> Answer:
        asked.set()
        return Hang()

    with ModelServer(hang) as server:
        asyncio.run(cancel_it())
        connections = psutil.Process().net_connections(kind="tcp")
        mine = [it for it in connections if it.raddr and it.raddr.port == server.port and it.status == "ESTABLISHED"]
        assert mine == []


def test_the_most_a_call_may_cost_is_reserved_before_it_is_made() -> None:
    purse = Purse()
    with ModelServer(lambda asked: Say("fine")) as server:
        reply = ask(server, "messages", budget=purse, max_tokens=99)
        sent = server.served[0].tokens.input
    (estimate,) = purse.reserved
    assert (estimate.task, estimate.model, estimate.max_output_tokens) == ("T-1", "claude-opus-4-5", 99)
    assert estimate.input_tokens >= sent
    assert reply.reservation == "1"
    assert purse.settled == []


def test_a_call_has_its_price_where_one_is_known() -> None:
    own = Prices({"claude-opus-4-5": Price(Decimal(5), Decimal(25), Decimal("0.5"), Decimal("6.25"))})
    with ModelServer(lambda asked: Say("fine")) as server:
        settings = model_settings(server, "messages")
        known, unknown = (
            asyncio.run(OneModel("m", settings, "key", prices=prices).call(a_call(), nobody)).usage
            for prices in (own, Prices())
        )
    assert known.usd == (Decimal(known.input_tokens) * 5 + known.output_tokens * 25) / 1_000_000
    assert unknown.usd is None


@formats
def test_a_response_is_the_same_after_it_was_written_down(wire: Format) -> None:
    with ModelServer(lambda asked: Say("text", calls=(ToolCall("read", {"path": "a"}),))) as server:
        reply = ask(server, wire)
    written = response_as_json(reply.response)
    assert response_as_json(response_from_json(written)) == written


def test_the_digest_of_a_call_is_of_what_was_said_and_not_of_when() -> None:
    assert a_call().digest == a_call().digest
    assert a_call().digest != a_call("Other").digest
    assert a_call().digest != a_call(instructions="Be long.").digest
