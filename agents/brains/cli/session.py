"""What a session of an agent CLI came to, from its events alone. Pure.

The exit code decides nothing: a CLI may exit 0 although no model ever answered, or fail at tidying up after its work
was done. A session that says it ended well has ended well, and what it left is judged like anybody's; one that says it
failed, or does not say that it ended, has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from callboard.agents.brains.answer import plain
from callboard.agents.brains.brain import Done, Failed, Parked, Result
from callboard.agents.brains.cli.adapter import Adapter, Cause, End, Event, Limit, Text, Tool, Trouble
from callboard.agents.brains.cli.limits import LONGEST, reset_in
from callboard.agents.brains.command import MAX_NOTES, MAX_TEXT, read_result
from callboard.bus.errors import BrainError, BrainParked

FENCE = "```"


@dataclass(slots=True)
class Session:
    """What counts of a session, as far as it has been read."""

    end: End | None = None
    """How it ended; None = not, or trouble came after."""
    answer: str = ""
    """What the model said last, once the session has ended."""
    trouble: Trouble | None = None
    """The last one."""
    limit: Limit | None = None
    """The last that it told of as such."""
    _said: list[str] = field(default_factory=list)

    def add(self, event: Event) -> None:
        match event:
            case Text(text=text, is_line=is_line):
                self._said = [*self._said, text] if is_line and not self.end else [text]
            case Trouble():
                self.trouble, self.end = event, None
            case Limit():
                self.limit = event
            case End():
                self.end = event
                self.answer = "\n".join(self._said) if event.text is None else event.text


def read_session(adapter: Adapter, stdout: bytes) -> Session:
    """Read the whole output of a CLI that has ended."""
    session = Session()
    for event in events_of(adapter, stdout.decode("utf-8", "replace").split("\n")):
        session.add(event)
    return session


def events_of(adapter: Adapter, lines: Iterable[str]) -> Iterator[Event]:
    for line in lines:
        yield from adapter.read(line.rstrip("\r"))


def conclude(session: Session, ending: str, now: datetime) -> Result:
    """How an attempt ended.

    Args:
        ending: The exit code and the end of the output, for one that says nothing itself.
        now: For when its provider's limit ends.
    """
    problem, cause = problem_of(session, ending)
    if problem:
        return Parked(cause, problem, limit_end(session, cause, now)) if cause else Failed(problem)
    said = read_result(unfenced(session.answer).encode())
    return said if said is not None else Done(plain(session.answer, MAX_NOTES))


def verdict_text(session: Session, ending: str, now: datetime) -> str:
    """What a reviewer said last, or whoever answers a question.

    Raises:
        BrainError: Its session failed.
        BrainParked: Its provider did not answer.
    """
    problem, cause = problem_of(session, ending)
    if cause:
        raise BrainParked(problem, cause=cause, until=limit_end(session, cause, now))
    if problem:
        raise BrainError(f"no answer: {problem}")
    return unfenced(session.answer)


def problem_of(session: Session, ending: str) -> tuple[str, Cause]:
    """Why the session cannot count, and whether that will pass; "" = it can."""
    if session.end is not None:
        error = plain(session.end.error, MAX_TEXT)
        return (f"its session failed: {error}", session.end.cause) if error else ("", "")
    if session.trouble is not None:
        return f"its session did not end: {plain(session.trouble.text, MAX_TEXT)}", session.trouble.cause
    return f"its session did not end; {ending}", ""


def limit_end(session: Session, cause: Cause, now: datetime) -> datetime | None:
    """When its provider takes more: as it told, else as its words say; None where they do not, or it is no limit."""
    if cause != "rate_limit":
        return None
    if session.limit is not None and now < session.limit.until <= now + LONGEST:
        return session.limit.until
    said = [session.end.error if session.end else "", session.trouble.text if session.trouble else ""]
    return next((until for text in said if (until := reset_in(text, now)) is not None), None)


def unfenced(text: str) -> str:
    """The text; or, where it ends in a fenced block, that block alone, as one line. Models fence JSON unasked."""
    lines = text.rstrip().split("\n")
    if len(lines) < 3 or lines[-1].strip() != FENCE:
        return text
    begin = next((n for n in range(len(lines) - 2, -1, -1) if lines[n].lstrip().startswith(FENCE)), None)
    return text if begin is None else " ".join(lines[begin + 1 : -1])


def doing(event: Event) -> str:
    """What an event says about what is being done; "" = nothing."""
    match event:
        case Tool(name=name, detail=detail):
            return f"{name}: {detail}" if detail else name
        case Text(text=text) | Trouble(text=text):
            return text
    return ""
