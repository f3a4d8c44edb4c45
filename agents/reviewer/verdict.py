"""Reads a verdict from what a reviewer's brain said, strictly: what cannot be read whole is an abstention."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callboard.agents.brains.answer import last_line, plain, read_object
from callboard.bus.board import Verdict
from callboard.bus.errors import BrainError
from callboard.bus.task import Finding

MAX_FINDINGS = 30
"""More than a person would read, and three times as many must fit into one message; with more the verdict is unreadable."""

Short = Annotated[str, Field(max_length=4_000)]


class Spoken(BaseModel):
    """What a brain says as a reviewer."""

    # strict: "7" is no line number and 1 is no text. Unknown keys, `verified` among them, are not read.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SaidFinding(Spoken):
    """A finding as a brain may state it."""

    severity: Literal["minor", "major"]
    requirement: Short = ""
    file: Short = ""
    line: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    quote: Short = ""
    scenario: Short = ""
    command: Short = ""


class SaidVerdict(Spoken):
    """A verdict as a brain may state it (docs/brains.md)."""

    vote: Literal["approved", "needs_revision", "abstained"]
    findings: Annotated[list[SaidFinding], Field(max_length=MAX_FINDINGS)] = []
    notes: str = ""


def parse_verdict(text: str) -> Verdict:
    """Read a verdict: the whole text, or its last line, is one JSON object.

    Raises:
        BrainError: It is not a verdict; the message says why, for the abstention's notes.
    """
    said = _read(text)
    findings = tuple(_finding(finding) for finding in said.findings)
    return Verdict(vote=said.vote, findings=findings, notes=plain(said.notes, 4_000))


def abstention(reason: str) -> Verdict:
    """What is given where no verdict could be had."""
    return Verdict(vote="abstained", notes=plain(reason, 2_000))


def _read(text: str) -> SaidVerdict:
    try:
        raw = read_object(text.strip())
    except BrainError:
        raw = read_object(last_line(text.encode("utf-8", "replace")))
    try:
        return SaidVerdict.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BrainError(f"the verdict cannot be read: {where}: {first['msg']}") from error


def _finding(said: SaidFinding) -> Finding:
    # The quote stays as it was said: it is compared with the tree.
    texts = {name: plain(getattr(said, name), 4_000) for name in ("requirement", "scenario", "command")}
    return Finding(severity=said.severity, file=said.file, line=said.line, quote=said.quote, verified=False, **texts)
