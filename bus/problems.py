"""What keeps a task from going on, over all its blockers: which rungs of the ladder it has climbed, and what came of each;
and what a task's attempts came to, by digests, so that one that goes round in circles is seen."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from callboard.bus.doc import Doc
from callboard.bus.task import Fact

RungName = Literal["canon", "senior", "trio", "person"]
RUNGS: tuple[RungName, ...] = ("canon", "senior", "trio", "person")
"""From what costs nothing to whom nobody may bother needlessly."""


class Reference(Fact):
    """What an answer rests on: text that stands in a file."""

    file: str
    line: int = 0
    """1-based first line of the quote; 0 = anywhere in the file."""
    quote: str = ""
    verified: bool = False
    """Set by code: the quote stands there in the commit that was looked at. Never taken from a brain."""


class Advice(Fact):
    """One seat's answer to a consult."""

    says: Literal["answer", "cannot_say", "abstained"]
    """abstained: nothing came in time that could be read."""
    text: str = ""
    choice: int = 0
    """Of the proposals it was shown, from 1; 0 = none of them."""
    is_sure: bool = False
    reasons: str = ""
    references: tuple[Reference, ...] = ()


class Rung(Fact):
    """One rung that was climbed."""

    name: RungName
    state: Literal["asked", "answered", "passed", "silent"]
    """passed: no answer came of it, `why` says why, and the next rung was taken; silent: nothing was said at all."""
    why: str = ""
    at: AwareDatetime


class ProblemDoc(Doc):
    """One problem of one task. It outlives its blockers: each rung is climbed once for it, the last one excepted."""

    id: str = ""
    """16 hex digits over the task and what the problem is, however it is spaced and numbered."""
    task: str = ""
    blocker: str = ""
    """The newest blocker about it."""
    rungs: tuple[Rung, ...] = ()
    consult: str = ""
    """Id of the consult, or of the look into the canon, that is under way; "" = none."""
    asked: tuple[str, ...] = ()
    """Whom it asks."""
    heard: dict[str, Advice] = {}
    """What they have said to it."""
    proposals: tuple[Advice, ...] = ()
    """Answers that were given on any rung, and that code did not take alone."""


class TrackDoc(Doc):
    """What the attempts at one task came to."""

    task: str = ""
    handed: str = ""
    """Digest of the change under judgement."""
    diffs: tuple[str, ...] = ()
    """Digests of the changes that were sent back."""
    failures: tuple[str, ...] = ()
    """Digests of the outputs that they failed with."""
    advised: int = 0
    """How often canon or reviewers, and no person, brought it back."""
