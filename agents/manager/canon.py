"""Whether the canon has a passage about a problem: by its headings, without a model.

A passage is a section, or a list item with a bold beginning. It is about a problem when every word of its heading that
means something, and there are at least `LEAST` of them, is among the problem's. That is a guess, and costs one attempt when
it is wrong: the same problem climbs on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from callboard.agents.reviewer.quotes import plausible_path
from callboard.bus.messages import CanonAsked, CanonRead
from callboard.bus.problems import Reference
from callboard.bus.task import Briefing

LEAST = 3
"""Fewer words of a heading are found in most problems of a project."""
MOST_TEXT = 2_000
"""Characters of a passage that go into a prompt."""
MOST_BYTES = 1_000_000
"""Of a document; a longer one is no text for people."""
MOST_DOCUMENTS = 20

_PATH = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*\.(?:md|markdown|rst|txt|adoc)\b")
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*\s*$")
_ITEM = re.compile(r"\s*[-*+]\s+\*\*(.+?)\*\*:?\s*(.*)$")
_WORD = re.compile(r"[^\W_]{3,}")
_EMPTY = frozenset(
    _WORD.findall(
        "the and for are was were has have had how what when where which who why does did can cannot not must may our your "
        "its this that these those with without from into about there here should would could will use used using need needs"
    )
)


@dataclass(frozen=True, slots=True)
class Passage:
    line: int
    """1-based, of its first line."""
    heading: str
    text: str
    """Heading and body, word for word."""


def documents(briefing: Briefing | None) -> tuple[str, ...]:
    """Files that an agent's directions name as true, and the direction file itself; () = it names none."""
    if briefing is None:
        return ()
    named = dict.fromkeys(path for text in briefing.canon for path in _PATH.findall(text) if plausible_path(path))
    return (*named, briefing.path)[:MOST_DOCUMENTS] if named else ()


def look(asked: CanonAsked, read: Callable[[str], bytes | None]) -> CanonRead:
    """The passage whose heading says most of the problem; the first one of equals.

    Args:
        read: A document by its path; None where there is none.
    """
    wanted = frozenset(words(asked.problem))
    best: tuple[int, str, Passage] | None = None
    unread = []
    for path in asked.documents:
        text = _text(read(path))
        if text is None:
            unread.append(path)
            continue
        for passage in passages(text):
            said = frozenset(words(passage.heading))
            if len(said) >= LEAST and said <= wanted and (best is None or len(said) > best[0]):
                best = len(said), path, passage
    if best is None:
        return CanonRead(consult=asked.consult, unread=tuple(unread))
    _, path, passage = best
    first = passage.text.split("\n", 1)[0]
    reference = Reference(file=path, line=passage.line, quote=first, verified=True)
    return CanonRead(consult=asked.consult, passage=passage.text, reference=reference, unread=tuple(unread))


def words(text: str) -> Iterator[str]:
    """What a text is about: its words of three letters and more, without endings and words of no meaning."""
    for word in _WORD.findall(text.casefold()):
        if word not in _EMPTY:
            yield word[:-1] if len(word) > 3 and word.endswith("s") else word


def passages(text: str) -> Iterator[Passage]:
    """Sections with something in them, and items that begin in bold."""
    lines = text.split("\n")
    heads = [(n, found.group(1)) for n, line in enumerate(lines) if (found := _HEADING.match(line))]
    ends = [n for n, _ in heads[1:]] + [len(lines)]
    for (start, heading), end in zip(heads, ends, strict=True):
        if any(line.strip() for line in lines[start + 1 : end]):
            yield Passage(start + 1, heading, _cut(lines[start:end]))
    for n, line in enumerate(lines):
        item = _ITEM.match(line)
        if item and item.group(2).strip():
            yield Passage(n + 1, item.group(1), _cut([line]))


def _cut(lines: Iterable[str]) -> str:
    return "\n".join(lines).strip()[:MOST_TEXT]


def _text(content: bytes | None) -> str | None:
    if content is None or len(content) > MOST_BYTES or b"\0" in content:
        return None
    return content.decode("utf-8", "replace")
