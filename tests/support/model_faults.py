"""What the loopback model server can be told to reply: faults beside what is said, and functions that mix them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from model_wire import Asked, Say, ToolCall

HUGE = 200_000
"""Characters: three times what 16,384 tokens hold, and a fifth of what a task may use by default."""


@dataclass(frozen=True, slots=True)
class Status:
    """An error, such as 500 or 529."""

    code: int
    text: str = "made to fail by a test"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RateLimited:
    """429: come back in `reset_s` seconds."""

    reset_s: float
    says_when: bool = True
    """False: without any header that says when."""


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer, until the client hangs up or the server is stopped."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection closes in the middle of this answer; its tokens were used all the same."""

    say: Say


@dataclass(frozen=True, slots=True)
class NotJson:
    """200, and a body that is no JSON (streamed: an event that is none)."""


@dataclass(frozen=True, slots=True)
class Late:
    """An answer that waits until it is time."""

    say: Say
    time: threading.Event


Reply = Say | Status | RateLimited | Hang | Cut | NotJson | Late
ReplyTo = Callable[[Asked], Reply]


def scripted(*replies: Reply) -> ReplyTo:
    """One reply after the other; the last is said again for every request after that."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


FAULTS = (
    "limit",
    "long limit",
    "500",
    "529",
    "hang",
    "cut",
    "not json",
    "bad arguments",
    "wrong tool",
    "refusal",
    "huge",
)


def faulty(
    reply: ReplyTo, seed: int, *, share: float = 0.3, reset_s: float = 1.0, kinds: Iterable[str] = FAULTS
) -> ReplyTo:
    """Mix faults into the replies of another function.

    Args:
        share: Of the requests, those that get a fault.
        reset_s: The wait that a `limit` asks for; a `long limit` asks for ten times that.
        kinds: Of `FAULTS`, those that are drawn from.
    """
    draw, names = random.Random(seed), tuple(kinds)

    def mixed(asked: Asked) -> Reply:
        if draw.random() >= share:
            return reply(asked)
        return fault(draw.choice(names), reply, asked, reset_s)

    return mixed


def fault(kind: str, reply: ReplyTo, asked: Asked, reset_s: float) -> Reply:
    """The fault of one name in `FAULTS`."""
    match kind:
        case "limit":
            return RateLimited(reset_s)
        case "long limit":
            return RateLimited(10 * reset_s)
        case "500" | "529":
            return Status(int(kind))
        case "hang":
            return Hang()
        case "cut":
            return Cut(Say("this will never be read to its end " * 20))
        case "not json":
            return NotJson()
        case "bad arguments":
            return Say(calls=(ToolCall(asked.tools[0] if asked.tools else "none", '{"path": "a'),))
        case "wrong tool":
            return Say(calls=(ToolCall("launch_the_rockets", {"now": True}),))
        case "refusal":
            return Say("I cannot help with that.", refuses=True)
        case "huge":
            return Say("all work and no play " * (HUGE // 21))
    raise ValueError(f"{kind} is no fault; there are {', '.join(FAULTS)}")
