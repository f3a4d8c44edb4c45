"""Reads what is said in the second round, and decides what of it counts: a synthesis may order and dismiss, never invent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from callboard.agents.brains.answer import plain, read_shape
from callboard.agents.reviewer.verdict import Short, Spoken
from callboard.bus.reviews import Dismissal, SecondVote, Standing, Synthesis, SynthesisItem

MAX_ITEMS = 100
Id = Annotated[str, Field(max_length=40)]


class SaidItem(Spoken):
    """One thing that has to change, as a brain may state it."""

    findings: Annotated[list[Id], Field(max_length=MAX_ITEMS)]
    text: Short


class SaidDismissal(Spoken):
    """A finding that is out of scope, as a brain may state it."""

    finding: Id
    reason: Short


class SaidSynthesis(Spoken):
    """A synthesis as a brain may state it (docs/brains.md)."""

    summary: Short
    items: Annotated[list[SaidItem], Field(max_length=MAX_ITEMS)] = []
    dismissed: Annotated[list[SaidDismissal], Field(max_length=MAX_ITEMS)] = []


class SaidVote(Spoken):
    """A junior's vote as a brain may state it."""

    vote: Literal["approved", "needs_revision", "abstained"]
    notes: str = ""


def parse_synthesis(text: str) -> Synthesis:
    """Read a synthesis.

    Raises:
        BrainError: It is none; the message says why.
    """
    said = read_shape(text, SaidSynthesis)
    items = (SynthesisItem(findings=tuple(it.findings), text=plain(it.text, 2_000)) for it in said.items)
    gone = (Dismissal(finding=it.finding, reason=plain(it.reason, 2_000)) for it in said.dismissed)
    return Synthesis(summary=plain(said.summary, 4_000), items=tuple(items), dismissed=tuple(gone))


def parse_vote(text: str) -> SecondVote:
    """Read a vote.

    Raises:
        BrainError: It is none; the message says why.
    """
    said = read_shape(text, SaidVote)
    return SecondVote(vote=said.vote, notes=plain(said.notes, 4_000))


def counted(said: Synthesis, standing: Sequence[Standing]) -> Synthesis:
    """What of a synthesis counts: items about something that stands; dismissals, with a reason, of what no command has
    shown and no item keeps. What does not is kept with the reason."""
    known = {it.id: it.finding for it in standing}
    items = tuple(
        SynthesisItem(findings=ids, text=item.text)
        for item in said.items
        if (ids := tuple(id for id in dict.fromkeys(item.findings) if id in known))
    )
    kept = {id for item in items for id in item.findings}
    dismissed: dict[str, Dismissal] = {}
    refused = [f"{_short(item.text)}: it names nothing that stands" for item in said.items if not _any(item, known)]
    for it in said.dismissed:
        if it.finding not in known:
            why = "there is no such finding"
        elif not it.reason.strip():
            why = "no reason is given"
        elif known[it.finding].vetoes:
            why = "its command has shown it"
        elif it.finding in kept:
            why = "an item keeps it"
        else:
            dismissed[it.finding] = it
            continue
        refused.append(f"{it.finding[:40]} is not dismissed: {why}")
    update = {"items": items, "dismissed": tuple(dismissed.values()), "refused": tuple(refused)}
    return said.model_copy(update=update)


def _any(item: SynthesisItem, known: Iterable[str]) -> bool:
    return bool(set(item.findings) & set(known))


def _short(text: str) -> str:
    return repr(plain(text, 80))
