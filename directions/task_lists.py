"""Tasks of a file without `Task N` headings: the numbered lists under its Tasks heading."""

from __future__ import annotations

import re
from collections.abc import Sequence

from callboard.directions.blocks import Block, Kind, item_lines, read_blocks
from callboard.directions.fields import KNOWN, Entry, match_field, read_entries
from callboard.directions.outline import Group
from callboard.directions.sections import category_of
from callboard.directions.tasks import Report, Written

_BOX = re.compile(r"\[(?P<tick>[ xX])\]\s+")
_LEAD = re.compile(
    r"\*\*(?P<title>[^*\n]{1,300}?)\s*(?:[:.]\*\*|\*\*\s*(?:[:.]|[-–—](?=\s))?)\s*(?P<rest>.*)", re.DOTALL
)
_PRIORITY = re.compile(r"[(\[]P[0-5][)\]]\s*", re.IGNORECASE | re.ASCII)


def take_task_lists(lines: Sequence[str], group: Group, report: Report) -> tuple[list[Written], set[int]]:
    """The tasks, and the lines (from 0) they stand on. A list in which every item is a category is none of theirs."""
    written: list[Written] = []
    gone: set[int] = set()
    for block in group.blocks:
        if block.kind is Kind.LIST and not block.numbered:
            report(
                block.start + 1,
                "a list without numbers under the tasks' heading; understood as text; number it to make its items tasks",
            )
        if not block.numbered or _is_roadmap(lines, block):
            continue
        for n, item in zip(_numbers(block), block.items, strict=True):
            written.append(_task(n, item_lines(lines, item), item.start, report))
        gone |= set(range(block.start, block.end))
    return written, gone


def _is_roadmap(lines: Sequence[str], block: Block) -> bool:
    texts = ["\n".join(item_lines(lines, item)) for item in block.items]
    return all(category_of(text) and "task" in text.casefold() for text in texts)


def _numbers(block: Block) -> list[int]:
    """As written when they differ; `1. 1. 1.` counts up, as Markdown shows it."""
    written = [item.number or 0 for item in block.items]
    return written if len(set(written)) == len(written) else [written[0] + n for n in range(len(written))]


def _task(number: int, own: list[str], start: int, report: Report) -> Written:
    """
    Args:
        own: The item's lines; the first stands on line `start` (from 0) of the file.
    """
    line = start + 1
    box = _BOX.match(own[0])
    if box:
        own = [own[0][box.end() :], *own[1:]]
        if box["tick"] != " ":
            report(line, "the item is ticked; understood as open, since the board knows what is done")
    blocks = read_blocks(own)
    title, rest, height = _title(own, blocks)
    if not title:
        title = f"Task {number}"
        report(line, f"the item has no title; understood as {title!r}")
    body = [""] * height + own[height:]
    entries = read_entries(body, read_blocks(body), offset=start)
    lead = [entry for entry in entries if not entry.name]
    texts = [text for text in (rest, *(entry.value for entry in lead)) if text]
    named = [entry for entry in entries if entry.name]
    if texts:
        own_name = "Text" if any(entry.name.casefold() == "what" for entry in named) else "What"
        named.insert(0, Entry(own_name, "\n".join(texts), line))
    return Written(number, " ".join(title.split()), line, tuple(named))


def _title(own: list[str], blocks: Sequence[Block]) -> tuple[str, str, int]:
    """Title, the text behind it, and how many lines both take."""
    first = blocks[0] if blocks else None
    if first is None or first.start > 0 or first.kind not in (Kind.PARAGRAPH, Kind.HEADING):
        return "", "", 0
    if first.kind is Kind.HEADING:
        return first.text.replace("**", ""), "", first.end
    end = next((n for n in range(first.start, first.end) if _starts_field(own[n], n)), first.end)
    text = "\n".join(line.strip() for line in own[:end])
    lead = _LEAD.fullmatch(text)
    title, rest = (lead["title"], lead["rest"]) if lead else (text, "")
    if priority := _PRIORITY.match(rest):
        title, rest = f"{title} {priority[0].strip()}", rest[priority.end() :].lstrip(" :.-–—")
    return title.replace("**", ""), rest.strip(), end


def _starts_field(line: str, n: int) -> bool:
    """On the first line only the names we know are fields: `**Add a page**: with a table` is a title and a text."""
    found = match_field(line)
    return found is not None and (n > 0 or found[0].casefold() in {name.casefold() for name in KNOWN})
