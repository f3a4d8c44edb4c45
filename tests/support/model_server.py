"""A loopback server that speaks the formats of three model APIs, fails on demand, and counts for itself.

    with ModelServer(lambda asked: Say("hello")) as server:
        anthropic.Anthropic(base_url=server.url, api_key="x")          # POST {url}/v1/messages
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="x")        # POST {url}/v1/chat/completions, /v1/responses

The reply function is called in the server's thread, once per request, with what was asked; it returns what to `Say`, or
a fault. `scripted(...)` says a list of replies, one after the other; `faulty(...)` mixes faults into another function.
What is asked and said, `Asked`, `Say` and `ToolCall`, is in model_wire; the faults are in model_faults.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from types import TracebackType
from typing import Self

import wire_chat
import wire_messages
import wire_responses
from loopback_http import Answer, HangUp, LoopbackServer, Request
from model_faults import Cut, Hang, Late, NotJson, RateLimited, Reply, ReplyTo, Status
from model_wire import PATHS, Asked, Format, Say, Tokens

CHARACTERS_PER_TOKEN = 4
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True)
class Served:
    """One request and what became of it."""

    asked: Asked
    reply: Reply
    tokens: Tokens
    """What a provider would charge for it; nothing for an error."""


class ModelServer:
    """A context manager; it listens from construction on.

    Args:
        port: 0 = a free one.
    """

    def __init__(self, reply: ReplyTo, *, port: int = 0) -> None:
        self.reply = reply
        self.served: list[Served] = []
        self._seen: list[str] = []
        self._http = LoopbackServer(self._answer)
        self._http.start(port)
        self.port = self._http.port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """From now on connections are refused."""
        self._http.stop()

    @property
    def requests(self) -> int:
        return len(self.served)

    @property
    def tokens(self) -> Tokens:
        """Everything a provider would charge for, cut answers included."""
        return _sum(served.tokens for served in self.served)

    @property
    def delivered(self) -> Tokens:
        """Without what was cut off: the client cannot know the cost of those."""
        return _sum(served.tokens for served in self.served if not isinstance(served.reply, Cut))

    async def _answer(self, request: Request) -> Answer:
        if request.path.endswith("/count_tokens"):
            return _json(200, {"input_tokens": len(request.body) // CHARACTERS_PER_TOKEN})
        if request.path not in PATHS or request.method != "POST":
            return _json(404, {"error": {"type": "not_found_error", "message": f"nothing at {request.path}"}})
        asked = Asked(len(self.served) + 1, PATHS[request.path], json.loads(request.body), request.headers)
        reply = self.reply(asked)
        tokens = self._count(asked, reply)
        self.served.append(Served(asked, reply, tokens))
        return await _answer_to(asked, reply, tokens, request.gone)

    def _count(self, asked: Asked, reply: Reply) -> Tokens:
        """The longest beginning that an earlier request had too is taken from the cache."""
        said = reply.say if isinstance(reply, Cut | Late) else reply
        if not isinstance(said, Say):
            return Tokens()
        if said.cost is not None:
            return said.cost
        text = json.dumps(asked.body)
        cached = max((_common(text, seen) for seen in self._seen), default=0) // CHARACTERS_PER_TOKEN // 100 * 100
        self._seen = [*self._seen[-50:], text]
        spoken = len(said.text) + sum(len(call.name) + len(call.json) for call in said.calls)
        return Tokens(1 + len(text) // CHARACTERS_PER_TOKEN, 1 + spoken // CHARACTERS_PER_TOKEN, cached)


async def _answer_to(asked: Asked, reply: Reply, tokens: Tokens, gone: Callable[[], Awaitable[object]]) -> Answer:
    match reply:
        case Say():
            if asked.is_streamed:
                return Answer(
                    headers={"content-type": "text/event-stream"}, parts=_stream(_events(asked, reply, tokens))
                )
            return _json(200, _whole(asked, reply, tokens))
        case Cut(say=say):
            found = (
                list(_events(asked, say, tokens))
                if asked.is_streamed
                else [json.dumps(_whole(asked, say, tokens)).encode()]
            )
            kind = "text/event-stream" if asked.is_streamed else "application/json"
            return Answer(headers={"content-type": kind}, parts=_cut(found))
        case NotJson():
            if asked.is_streamed:
                return Answer(headers={"content-type": "text/event-stream"}, parts=_stream([b'data: {"oops"\n\n']))
            return Answer(body=b'{"oops"')
        case Late(say=say, time=time):
            await asyncio.to_thread(time.wait)
            return await _answer_to(asked, say, tokens, gone)
        case Hang():
            await gone()
            raise HangUp
        case RateLimited(reset_s=reset_s, says_when=says_when):
            headers = _reset_headers(asked, reset_s) if says_when else {}
            return _json(429, _problem(asked.format, 429, "rate_limit_error", "too many requests"), headers)
        case Status(code=code, text=text, headers=headers):
            return _json(code, _problem(asked.format, code, ERRORS.get(code, "api_error"), text), headers)


def _whole(asked: Asked, say: Say, tokens: Tokens) -> dict[str, object]:
    match asked.format:
        case "messages":
            return wire_messages.whole(asked, say, tokens)
        case "chat":
            return wire_chat.whole(asked, say, tokens)
        case "responses":
            return wire_responses.whole(asked, say, tokens)


def _events(asked: Asked, say: Say, tokens: Tokens) -> Iterator[bytes]:
    match asked.format:
        case "messages":
            return wire_messages.events(asked, say, tokens)
        case "chat":
            return wire_chat.events(asked, say, tokens)
        case "responses":
            return wire_responses.events(asked, say, tokens)


def _problem(format: Format, status: int, kind: str, text: str) -> dict[str, object]:
    """The body of an error."""
    if format == "messages":
        return {"type": "error", "error": {"type": kind, "message": text}}
    return {"error": {"message": text, "type": kind, "param": None, "code": kind if status == 429 else None}}


def _reset_headers(asked: Asked, reset_s: float) -> dict[str, str]:
    """Each API says it in its own way; whole seconds after `retry-after`, as they send them."""
    after = {"retry-after": f"{-(-reset_s // 1):.0f}"}
    if asked.format == "messages":
        then = datetime.now(UTC) + timedelta(seconds=reset_s)
        return {**after, "anthropic-ratelimit-requests-reset": then.strftime("%Y-%m-%dT%H:%M:%SZ")}
    minutes, seconds = divmod(reset_s, 60)
    return {**after, "x-ratelimit-reset-requests": f"{minutes:.0f}m{seconds:g}s" if minutes else f"{seconds:g}s"}


async def _stream(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def _cut(parts: list[bytes]) -> AsyncIterator[bytes]:
    whole_of_it = b"".join(parts)
    yield whole_of_it[: len(whole_of_it) // 2]
    raise HangUp


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, json.dumps(body).encode())


def _sum(tokens: Iterable[Tokens]) -> Tokens:
    return reduce(Tokens.__add__, tokens, Tokens())


def _common(one: str, other: str) -> int:
    """Length of the longest common beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low
