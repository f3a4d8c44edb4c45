"""Markdown's block structure with line numbers; what stands inside a block stays as it was written.

Four rules of CommonMark are off, because untidy files mean something else by them: a line of dashes under a text is a
rule and not an underline, indented text is text and not code, and link definitions do not vanish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

TAB = 4
_MARKER = re.compile(r"\s*(?:[-+*]|\d{1,9}[.)])\s*", re.ASCII)


class Kind(Enum):
    HEADING = auto()
    PARAGRAPH = auto()
    LIST = auto()
    FENCE = auto()
    QUOTE = auto()
    HTML = auto()
    RULE = auto()


_KINDS = {
    "heading_open": Kind.HEADING,
    "paragraph_open": Kind.PARAGRAPH,
    "bullet_list_open": Kind.LIST,
    "ordered_list_open": Kind.LIST,
    "fence": Kind.FENCE,
    "blockquote_open": Kind.QUOTE,
    "html_block": Kind.HTML,
    "hr": Kind.RULE,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list: lines `start` to before `end`, from 0."""

    start: int
    end: int
    number: int | None
    """As written; None in a bulleted list."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is in no other block: lines `start` to before `end`, from 0."""

    kind: Kind
    start: int
    end: int
    level: int = 0
    """1 to 6 for a heading."""
    text: str = ""
    """A heading's text; a fence's language."""
    items: tuple[Item, ...] = ()

    missing_end: str = ""
    """What would close a fence or comment that runs to the end because nothing does."""

    @property
    def closed(self) -> bool:
        return not self.missing_end

    @property
    def numbered(self) -> bool:
        return bool(self.items) and self.items[0].number is not None


def split_lines(text: str) -> list[str]:
    """Lines as Markdown counts them: only CR, LF and CRLF end one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def read_blocks(lines: Sequence[str]) -> tuple[Block, ...]:
    """The outermost blocks, in order. Never fails: every text is Markdown."""
    tokens = _parser().parse("\n".join(lines))
    return tuple(_blocks(tokens, lines))


@cache
def _parser() -> MarkdownIt:
    """One for all: making it costs more than reading a task, and reading leaves nothing in it."""
    parser = MarkdownIt("commonmark").disable(["lheading", "code", "reference"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _blocks(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[Block]:
    for n, token in enumerate(tokens):
        if token.level or token.nesting < 0 or token.map is None or token.type not in _KINDS:
            continue
        kind = _KINDS[token.type]
        start, end = token.map[0], _trimmed(lines, *token.map)
        match kind:
            case Kind.HEADING:
                yield Block(kind, start, end, level=len(token.markup), text=tokens[n + 1].content.strip())
            case Kind.LIST:
                yield Block(kind, start, end, items=tuple(_items(tokens, n, lines)))
            case Kind.FENCE:
                closed = _closes(lines[end - 1], token, end - start)
                yield Block(kind, start, end, text=token.info.strip(), missing_end="" if closed else token.markup)
            case Kind.HTML:
                closed = not token.content.lstrip().startswith("<!--") or "-->" in token.content
                yield Block(kind, start, end, missing_end="" if closed else "-->")
            case _:
                yield Block(kind, start, end)


def _items(tokens: Sequence[Token], opening: int, lines: Sequence[str]) -> Iterator[Item]:
    for token in tokens[opening + 1 :]:
        if token.level == 0:
            return
        if token.type == "list_item_open" and token.level == 1 and token.map is not None:
            number = int(token.info) if token.info else None
            yield Item(token.map[0], _trimmed(lines, *token.map), number)


def _trimmed(lines: Sequence[str], start: int, end: int) -> int:
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def _closes(line: str, fence: Token, height: int) -> bool:
    mark = line.strip()
    return height > 1 and len(mark) >= len(fence.markup) and set(mark) == set(fence.markup)


def is_comment(lines: Sequence[str], block: Block) -> bool:
    return block.kind is Kind.HTML and lines[block.start].lstrip().startswith("<!--")


def item_lines(lines: Sequence[str], item: Item) -> list[str]:
    """An item's lines without its marker and indentation: a small document of its own."""
    marker = _MARKER.match(lines[item.start])
    head = marker[0] if marker else ""
    content = lines[item.start][len(head) :].strip()
    width = len(head.expandtabs(TAB)) if content else len(head.rstrip().expandtabs(TAB)) + 1
    return [content, *(_dedented(line, width) for line in lines[item.start + 1 : item.end])]


def dedent_lines(lines: Sequence[str]) -> list[str]:
    """The lines moved to the left by as much as the first one is indented."""
    first = lines[0].expandtabs(TAB)
    width = len(first) - len(first.lstrip())
    return [_dedented(line, width) for line in lines] if width else list(lines)


def _dedented(line: str, width: int) -> str:
    """The line without `width` columns of its indentation; a tab that is cut in two leaves spaces."""
    column = n = 0
    while column < width and n < len(line) and line[n].isspace():
        column += TAB - column % TAB if line[n] == "\t" else 1
        n += 1
    return " " * max(0, column - width) + line[n:]
