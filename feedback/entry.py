"""One entry of a feedback log <-> its Markdown, exactly.

    ## 2026-11-21 09:14:07Z · evidence · T-7 Add a /health endpoint <!-- run-1/1042.1 -->
    - commit `3f2a1bc` on `driver-1/work`, 1 file: `app/main.py`
    - `pytest -q` -> 0 in 1.3 s (sha256 9c1f64...)

    The endpoint answers 200 with the version.

Two empty lines end an entry and stand nowhere inside one, so an entry cut at any byte is seen to be incomplete. Text
with anything in it that Markdown could take for more than a paragraph (headings, fences, comments, lists) is written as
a quotation: what a quotation opens ends with it, so no text can pass for an entry or hide the ones after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from callboard.bus.visible import VISIBLE

END = "\n\n\n"
"""What every entry's Markdown ends with: its last line's end and two empty lines."""

HEADING = r"## ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8})Z · ([a-z]+)(?: · (.+))? <!-- ([^\s/]+)/([0-9]+)\.([0-9]+) -->"
"""A whole heading line: time, kind, task and title, and the id's three parts."""

_HEADING = re.compile(HEADING)
_TASK = re.compile(r"T-[0-9]+")
_TASK_THEN_TITLE = re.compile(r"(T-[0-9]+)(?: (.*))?")


@dataclass(frozen=True, slots=True, order=True)
class EntryId:
    """Where in the journal an entry came from: unique over all logs and runs, rising within a run."""

    run: str
    seq: int
    """The journal entry's seq."""
    n: int
    """The message's place in that journal entry, from 1."""

    def __str__(self) -> str:
        return f"{self.run}/{self.seq}.{self.n}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Made of anything, it is what its Markdown can say: whole seconds, one-line facts, visible characters."""

    id: EntryId
    at: datetime
    """UTC, whole seconds."""
    kind: str
    task: str = ""
    """The task's id, such as `T-7`; "" when it is about none."""
    title: str = ""
    facts: tuple[str, ...] = ()
    """One line each, never empty."""
    text: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", self.at.astimezone(UTC).replace(microsecond=0))
        object.__setattr__(self, "task", self.task if _TASK.fullmatch(self.task) else "")
        object.__setattr__(self, "title", _one_line(self.title))
        object.__setattr__(self, "facts", tuple(fact for fact in map(_one_line, self.facts) if fact))
        object.__setattr__(self, "text", _visible(self.text))

    @classmethod
    def parse(cls, block: str) -> Self:
        """Read one entry: a heading line and what follows it, up to the next heading.

        Raises:
            ValueError: It does not begin with a heading.
        """
        heading, *lines = block.rstrip("\n").split("\n")
        match = _HEADING.fullmatch(heading)
        if match is None:
            raise ValueError(f"not the heading of an entry: {heading[:200]!r}")
        stamp, kind, subject, run, seq, n = match.groups()
        task, title = _read_subject(subject or "")
        facts, text = _read_body(lines)
        at = datetime.fromisoformat(stamp).replace(tzinfo=UTC)
        return cls(EntryId(run, int(seq), int(n)), at, kind, task, title, facts, text)

    def render(self) -> str:
        """Its Markdown, its end included."""
        subject = _write_subject(self.task, self.title)
        parts = [f"{self.at:%Y-%m-%d %H:%M:%SZ}", self.kind, *([subject] if subject else [])]
        lines = [f"## {' · '.join(parts)} <!-- {self.id} -->", *(f"- {fact}" for fact in self.facts)]
        if self.facts and self.text:
            lines.append("")
        lines.extend(_write_text(self.text))
        return "\n".join(lines) + END


def _visible(text: str) -> str:
    unified = text.replace("\r\n", "\n").replace("\r", "\n").translate(VISIBLE)
    return unified.encode("utf-8", "replace").decode("utf-8")


def _one_line(text: str) -> str:
    return _visible(text).replace("\n", " ").strip()


def _write_subject(task: str, title: str) -> str:
    if task:
        return f"{task} {title}" if title else task
    return f"\\{title}" if title.startswith("\\") or _TASK_THEN_TITLE.fullmatch(title) else title


def _read_subject(subject: str) -> tuple[str, str]:
    if subject.startswith("\\"):
        return "", subject[1:]
    match = _TASK_THEN_TITLE.fullmatch(subject)
    return (match[1], match[2] or "") if match else ("", subject)


def _write_text(text: str) -> Iterable[str]:
    if not text or _is_plain(text):
        return text.split("\n") if text else ()
    return (f"> {line}" if line else ">" for line in text.split("\n"))


def _read_body(lines: list[str]) -> tuple[tuple[str, ...], str]:
    count = next((n for n, line in enumerate(lines) if not line.startswith("- ")), len(lines))
    facts = tuple(line[2:] for line in lines[:count])
    rest = lines[count:]
    if facts and rest and not rest[0]:
        rest = rest[1:]
    if rest and rest[0].startswith(">"):
        rest = [line[1:].removeprefix(" ") if line.startswith(">") else line for line in rest]
    return facts, "\n".join(rest)


def _is_plain(text: str) -> bool:
    """Whether it is paragraphs and nothing else, whatever a Markdown reader makes of it."""
    return END not in text and not text.startswith("\n") and not text.endswith("\n") and _all_plain(text.split("\n"))


def _all_plain(lines: Iterable[str]) -> bool:
    return all(not line or line[0].isalnum() or line[0] in "\"'(" or _is_inline_code(line) for line in lines)


def _is_inline_code(line: str) -> bool:
    return line.startswith("`") and not line.startswith("```")
