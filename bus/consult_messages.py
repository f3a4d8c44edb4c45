"""What is asked before a person is: of the canon, which a hand reads, and of the reviewers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime

from callboard.bus.body import Body
from callboard.bus.problems import Advice, Reference, RungName
from callboard.bus.task import TaskSpec


class CanonAsked(Body):
    """desk -> gate: is there a passage of these documents about this problem?"""

    kind: ClassVar[str] = "canon.asked"
    consult: str
    """The id that the answer is bound to."""
    commit: str
    """Where the documents are read."""
    documents: tuple[str, ...]
    """Paths in that commit."""
    problem: str


class CanonRead(Body):
    """gate -> desk."""

    kind: ClassVar[str] = "canon.read"
    consult: str
    passage: str = ""
    """Word for word; "" = none is about it."""
    reference: Reference | None = None
    unread: tuple[str, ...] = ()
    """Documents that are not there, or are no text."""


class ConsultRequested(Body):
    """manager -> reviewer: somebody is stuck; say what you know, or that you cannot say."""

    kind: ClassVar[str] = "consult.requested"
    consult: str
    """The id that an answer is bound to."""
    spec: TaskSpec
    agent: str
    """Who is stuck."""
    base: str
    """The commit that is checked out for it (40 hex)."""
    work: str | None = None
    """The unfinished work, where there is any: a commit that may not be in the repository."""
    problem: str
    needs: str = ""
    tried: str = ""
    evidence: tuple[str, ...] = ()
    """What commands, gates and earlier answers said, the newest last."""
    questions: tuple[str, ...]
    proposals: tuple[str, ...] = ()
    """Answers to choose from; () = an answer is to be found."""
    deadline: AwareDatetime


class ConsultAnswered(Body):
    """reviewer -> manager. A missing, late or unreadable one is an abstention."""

    kind: ClassVar[str] = "consult.answered"
    consult: str
    advice: Advice


class BlockerClimbed(Body):
    """manager -> the blocked agent: who is asked about its blocker now; it goes on with its next task."""

    kind: ClassVar[str] = "blocker.climbed"
    blocker: str
    what: str
    rung: RungName
    facts: tuple[str, ...] = ()
    """Why no earlier rung had the answer, and who is asked."""
