"""Bold fields: `**Name**: value`, over as many lines as the value takes.

A field starts a line of a paragraph, or an item of a list; what follows belongs to it until the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from callboard.directions.blocks import Block, Kind, dedent_lines, item_lines

KNOWN = (
    "What",
    "Use",
    "Evidence",
    "Timeline",
    "Status",
    "Check",
    "Test",
    "Id",
    "Priority",
    "Depends",
    "Serves",
    "Paths",
    "Checks",
    "Tools",
    "Tier",
    "Category",
    "Budget",
)

_MARK = r"(?:[^\w\s\"'`(\[*#<>|+-]{1,4}\s+)?"
"""A few signs that people put before a name, such as a tick."""
_BOLD = re.compile(
    rf"{_MARK}(?:\*\*|__)(?P<name>[^*_:：\n][^*:：\n]{{0,60}}?)\s*(?:[:：]\s*(?:\*\*|__)|(?:\*\*|__)\s*[:：])(?P<value>.*)"
)
_BARE = re.compile(rf"(?P<name>{'|'.join(KNOWN)}):(?:\s+(?P<value>.*))?")
_BULLET = re.compile(r"\s*[-*+]\s+(?=\S)")
_LATER = re.compile(rf"(?:\*\*|__)({'|'.join(KNOWN)})(?:[:：](?:\*\*|__)|(?:\*\*|__)[:：])")


@dataclass(frozen=True, slots=True)
class Entry:
    """One field as written. The name "" stands for text that no field name stands before."""

    name: str
    value: str
    line: int
    """1-based."""
    bare: bool = False
    """Its name is not bold."""
    inside: str = ""
    """Another known field's name that stands inside the value, where it counts as text."""


@dataclass(slots=True)
class _Open:
    name: str
    line: int
    first: str
    bare: bool = False
    rest: list[str] = field(default_factory=list)
    end: int = 0
    """Line after the last one taken, from 0."""

    def take(self, lines: Sequence[str], start: int) -> None:
        if self.rest or self.first:
            self.rest.extend([""] * (start - self.end))
        self.rest.extend(line.rstrip() for line in lines)
        self.end = start + len(lines)

    def close(self) -> Entry:
        rest = "\n".join(self.rest).rstrip()
        value = f"{self.first}\n{rest}" if self.first and rest else self.first or rest
        inside = _LATER.search(value)
        return Entry(self.name, value, self.line, self.bare, inside.group(1) if inside else "")


def match_field(line: str) -> tuple[str, str, bool] | None:
    """Name, value and whether the name is bare, if a field starts on this line."""
    line = line.strip()
    found = _BOLD.fullmatch(line)
    if found and found["name"].strip():
        return found["name"].strip(), found["value"].strip(), False
    found = _BARE.fullmatch(line)
    return (found["name"], (found["value"] or "").strip(), True) if found else None


def read_entries(lines: Sequence[str], blocks: Sequence[Block], offset: int = 0) -> list[Entry]:
    """The fields of some blocks, in order; text before the first one under the name "".

    Args:
        offset: Added to every line number, for blocks that were cut out of a larger text.
    """
    done: list[Entry] = []
    current: _Open | None = None
    for start, taken, name in _pieces(lines, blocks):
        if name is not None:
            if current:
                done.append(current.close())
            current = _Open(name[0], start + 1 + offset, name[1], name[2], end=start + 1)
            current.take(taken, start + 1)
        else:
            if current is None:
                current = _Open("", start + 1 + offset, "", end=start)
            current.take(taken, start)
    if current:
        done.append(current.close())
    return done


_Piece = tuple[int, Sequence[str], tuple[str, str, bool] | None]
"""First line (from 0), lines that belong to it, and the field that starts there."""


def _pieces(lines: Sequence[str], blocks: Sequence[Block]) -> Iterator[_Piece]:
    empty = False
    for block in blocks:
        if block.kind is Kind.HTML and lines[block.start].lstrip().startswith("<!--"):
            continue
        for piece in _block_pieces(lines, block, nested=empty):
            empty = piece[2] is not None and not piece[2][1] and not any(line.strip() for line in piece[1])
            yield piece


def _block_pieces(lines: Sequence[str], block: Block, *, nested: bool) -> Iterator[_Piece]:
    """
    Args:
        nested: The field before has no value yet, so a list is that value and not fields of its own.
    """
    own = lines[block.start : block.end]
    match block.kind:
        case Kind.LIST if not block.numbered and not nested and _is_field_list(lines, block):
            yield from _item_pieces(lines, block)
        case Kind.PARAGRAPH:
            yield from _line_pieces([line.strip() for line in own], block.start, match_field)
        case Kind.HTML:
            yield from _line_pieces(own, block.start, match_field)
        case Kind.FENCE | Kind.HEADING | Kind.RULE:
            yield block.start, dedent_lines(own), None
        case _:
            yield from _line_pieces(dedent_lines(own), block.start, _lazy_field)


def _item_pieces(lines: Sequence[str], block: Block) -> Iterator[_Piece]:
    for item in block.items:
        raw, own = lines[item.start : item.end], item_lines(lines, item)
        lazy = next((n for n, line in enumerate(raw) if n and _lazy_field(line)), len(raw))
        found = match_field(own[0])
        yield (item.start, own[1:lazy], found) if found else (item.start, dedent_lines(raw[:lazy]), None)
        yield from _line_pieces(raw[lazy:], item.start + lazy, match_field)


def _line_pieces(
    lines: Sequence[str], start: int, match: Callable[[str], tuple[str, str, bool] | None]
) -> Iterator[_Piece]:
    for n, line in enumerate(lines):
        found = match(line)
        yield (start + n, [], found) if found else (start + n, [line], None)


def _is_field_list(lines: Sequence[str], block: Block) -> bool:
    return match_field(item_lines(lines, block.items[0])[0]) is not None


def _lazy_field(line: str) -> tuple[str, str, bool] | None:
    """A field at the margin under a list or quote: Markdown takes it into the last item, people do not mean that."""
    return None if line[:1] in (" ", "\t", "") or _BULLET.match(line) else match_field(line)
