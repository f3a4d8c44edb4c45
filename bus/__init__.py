"""Files for people: none. Code: the language everybody speaks (messages, board) and how it is carried (Redis streams).

The names below are what programs outside Callboard use (docs/bus.md, docs/client.md); `callboard.bus.messages` has every kind of message.
They are imported when they are first asked for: most commands need few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callboard.bus.bus import Bus as Bus
    from callboard.bus.delivery import Delivery as Delivery
    from callboard.bus.errors import BoardStale as BoardStale
    from callboard.bus.errors import BusError as BusError
    from callboard.bus.errors import BusUnavailable as BusUnavailable
    from callboard.bus.errors import InboxFull as InboxFull
    from callboard.bus.errors import LeaseLost as LeaseLost
    from callboard.bus.errors import NotReplicated as NotReplicated
    from callboard.bus.errors import TooLarge as TooLarge
    from callboard.bus.inbox import Inbox as Inbox
    from callboard.bus.journal import JournalEntry as JournalEntry
    from callboard.bus.messages import JOURNAL as JOURNAL
    from callboard.bus.messages import AgentStarted as AgentStarted
    from callboard.bus.messages import AgentStopped as AgentStopped
    from callboard.bus.messages import AnswerGiven as AnswerGiven
    from callboard.bus.messages import AttemptFailed as AttemptFailed
    from callboard.bus.messages import BlockerRaised as BlockerRaised
    from callboard.bus.messages import BlockerResolved as BlockerResolved
    from callboard.bus.messages import ChangesRequested as ChangesRequested
    from callboard.bus.messages import Draft as Draft
    from callboard.bus.messages import Envelope as Envelope
    from callboard.bus.messages import EvidenceSubmitted as EvidenceSubmitted
    from callboard.bus.messages import FeedbackLogged as FeedbackLogged
    from callboard.bus.messages import MergeLanded as MergeLanded
    from callboard.bus.messages import Outcome as Outcome
    from callboard.bus.messages import QuestionAsked as QuestionAsked
    from callboard.bus.messages import ReviewRequested as ReviewRequested
    from callboard.bus.messages import TaskAccepted as TaskAccepted
    from callboard.bus.messages import TaskAssigned as TaskAssigned
    from callboard.bus.messages import TaskCancelled as TaskCancelled
    from callboard.bus.messages import TaskProgressed as TaskProgressed
    from callboard.bus.messages import Timer as Timer
    from callboard.bus.messages import VerdictGiven as VerdictGiven

_HOMES = {
    "bus": ("Bus",),
    "delivery": ("Delivery",),
    "errors": ("BoardStale", "BusError", "BusUnavailable", "InboxFull", "LeaseLost", "NotReplicated", "TooLarge"),
    "inbox": ("Inbox",),
    "journal": ("JournalEntry",),
    "messages": (
        "JOURNAL",
        "AgentStarted",
        "AgentStopped",
        "AnswerGiven",
        "AttemptFailed",
        "BlockerRaised",
        "BlockerResolved",
        "ChangesRequested",
        "Draft",
        "Envelope",
        "EvidenceSubmitted",
        "FeedbackLogged",
        "MergeLanded",
        "Outcome",
        "QuestionAsked",
        "ReviewRequested",
        "TaskAccepted",
        "TaskAssigned",
        "TaskCancelled",
        "TaskProgressed",
        "Timer",
        "VerdictGiven",
    ),
}
"""Module -> the public names that live there."""
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    *_HOME,
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
