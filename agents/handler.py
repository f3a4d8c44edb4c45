"""What an agent writes to take part in the loop: a handler; and what its messages must pass before it sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from callboard.bus.messages import Draft, Envelope, FeedbackLogged, Outcome


class Work(Protocol):
    """What a handler sees of its message."""

    @property
    def envelope(self) -> Envelope: ...

    @property
    def deliveries(self) -> int:
        """How often the message was delivered, this time included: above 1, an earlier handler was interrupted."""

    async def emit(self, *drafts: Draft) -> None:
        """Send while working: progress, feedback, questions.

        Raises:
            LeaseLost, NotAllowed, InboxFull
        """


class Handler(Protocol):
    """What an agent does with its messages."""

    def lane(self, envelope: Envelope) -> str:
        """Messages of one lane are handled one at a time, in order; different lanes run side by side."""

    async def handle(self, work: Work) -> Outcome:
        """Do the work; what is returned is committed with the ack. It may run again for one message (stale board, crash).

        Raises:
            Retry: Deliver it again later; counts as a failure.
            Reject: Make it a dead letter.
        """


def refusal(envelope: Envelope, may_send: Callable[[str, str], bool]) -> str:
    """Why the receiver does not act on a message; "" when it may."""
    body = envelope.body
    if isinstance(body, FeedbackLogged) and body.log != envelope.sender:
        return f"{envelope.sender} may not write to the feedback log of {body.log}"
    if not may_send(envelope.sender, envelope.kind):
        return f"{envelope.sender} may not send {envelope.kind}"
    return ""
