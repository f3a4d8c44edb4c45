"""What any agent says to the journal alone."""

from __future__ import annotations

from typing import ClassVar, Literal

from callboard.bus.body import Body

LogKind = Literal[
    "startup",
    "task",
    "progress",
    "evidence",
    "blocker",
    "resolved",
    "question",
    "answer",
    "review",
    "merge",
    "deployment",
    "shutdown",
]


class FeedbackLogged(Body):
    """One entry of the sender's own feedback log."""

    kind: ClassVar[str] = "feedback.logged"
    log: str
    """Whose log: always the sender's own name, else it is refused."""
    entry: LogKind
    title: str = ""
    facts: tuple[str, ...] = ()
    """One line each, Markdown inline at most."""
    text: str = ""


class RunSummed(Body):
    """manager -> journal: what a run has come to, and whether it may be promoted; a document of its log branch."""

    kind: ClassVar[str] = "run.summed"
    state: str
    commit: str
    """The integration head."""
    branch: str
    facts: tuple[str, ...] = ()
    conditions: tuple[str, ...]
    """One line each: `met: ...`, or `not met: ...` with why and the way out."""


class MessageRefused(Body):
    """anybody -> journal: a message that its receiver did not act on, and why."""

    kind: ClassVar[str] = "message.refused"
    refused: str
    """The refused message's id."""
    refused_kind: str
    refused_sender: str
    reason: str
