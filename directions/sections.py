"""The sections of a direction file that are not tasks: rules, canon, git workflow, roadmap, and what nobody foresaw."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from callboard.directions.blocks import Block, Kind, is_comment, item_lines, read_blocks
from callboard.directions.document import Category, GitWorkflow, Rule
from callboard.directions.fields import Entry, match_field, read_entries
from callboard.directions.outline import Group, Part, clean_title
from callboard.directions.tasks import Report

_LOCK = "memory lock"
_QUOTES = {'"': '"', "“": "”", "'": "'", "„": "“", "«": "»"}
_CATEGORY = re.compile(
    r"(?P<title>.{1,200}?)\s*\(\s*(?P<low>\d{1,6})\s*[-–—]\s*(?P<high>\d{1,6})(?:\s*tasks?)?\s*\)\s*(?:[-–—:]\s*)?(?P<text>.*)",
    re.ASCII | re.DOTALL,
)
_RULE = r"[ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})"
_END_RULES = re.compile(rf"\A(?:{_RULE}(?:\n\s*|\Z))+|(?:(?<=\n){_RULE}\s*)+\Z")
_COMMIT = re.compile(r"git commit\b[^`\n]{0,80}?-\w*m\s*[\"']([^\s\"':]{1,40}:)\s")


def raw_text(lines: Sequence[str], blocks: Sequence[Block], without: Collection[int] = ()) -> str:
    """The blocks as written; rules at their ends are left out, and what nothing closes is closed.

    Args:
        without: Lines (from 0) that are not part of it.
    """
    own = list(blocks)
    while own and own[-1].kind is Kind.RULE:
        own.pop()
    while own and own[0].kind is Kind.RULE:
        own.pop(0)
    if not own:
        return ""
    kept = [lines[n].rstrip() for n in range(own[0].start, own[-1].end) if n not in without]
    kept += [own[-1].missing_end] if own[-1].missing_end else []
    return _tidy(kept) if without else "\n".join(kept)


def _tidy(lines: Sequence[str]) -> str:
    """The text around what was taken out: no gaps, and no rules at its ends."""
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return _END_RULES.sub("", text).strip("\n")


def read_rules(lines: Sequence[str], group: Group, report: Report) -> tuple[list[Rule], str]:
    """The rules below a heading, one to a heading or list item, and the text that belongs to none."""
    lists = [block for block in group.head.blocks if block.kind is Kind.LIST]
    rules = [_item_rule(item_lines(lines, item)) for block in lists for item in block.items]
    rules = [rule for rule in rules if rule != Rule("")] + [_heading_rule(lines, part) for part in _by_rule(group)]
    listed = {n for block in lists for n in range(block.start, block.end)}
    text, locks = _split_locks(raw_text(lines, group.head.blocks, listed).split("\n"))
    if locks:
        title = clean_title(group.title)
        report(group.line, f"a Memory Lock below {title!r} is under no rule; understood as a rule of that name")
        rules.append(Rule(title, locks, text))
        text = ""
    return rules, text


def _by_rule(group: Group) -> Iterator[tuple[Part, tuple[Block, ...]]]:
    """Each rule's part with its blocks, the headings deeper than its own included."""
    head: Part | None = None
    blocks: list[Block] = []
    for part in group.below:
        assert part.heading is not None
        if head is not None and head.heading is not None and part.heading.level > head.heading.level:
            blocks += [part.heading, *part.blocks]
            continue
        if head is not None:
            yield head, tuple(blocks)
        head, blocks = part, list(part.blocks)
    if head is not None:
        yield head, tuple(blocks)


def _heading_rule(lines: Sequence[str], own: tuple[Part, tuple[Block, ...]]) -> Rule:
    part, blocks = own
    text, locks = _split_locks(raw_text(lines, blocks).split("\n"))
    return Rule(clean_title(part.heading.text if part.heading else ""), locks, text)


def _item_rule(own: list[str]) -> Rule:
    """A rule that is a list item; a heading inside it is no more than bold text."""
    headings = {block.start: f"**{block.text}**" for block in read_blocks(own) if block.kind is Kind.HEADING}
    text, locks = _split_locks([headings.get(n, line) for n, line in enumerate(own)])
    bold = re.fullmatch(r"\*\*(.{1,200}?)[:.]?\*\*\s*[-–—:]?\s*(.*)", text, re.DOTALL)
    title, _, rest = (bold[1], "", bold[2]) if bold else text.partition("\n")
    return Rule(clean_title(title), locks, rest.strip())


def _split_locks(lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The text without its Memory Lock lines, and those."""
    kept: list[str] = []
    locks: list[str] = []
    fence = ""
    rows = iter(lines)
    for line in rows:
        mark = re.match(r"\s*(```|~~~)", line)
        if mark:
            fence = "" if fence == mark[1] else fence or mark[1]
        found = None if fence else match_field(re.sub(r"^\s*[-*+]\s+", "", line))
        if found is None or found[2] or found[0].casefold() != _LOCK:
            kept.append(line.rstrip())
            continue
        value, close = found[1], _QUOTES.get(found[1][:1], "")
        while close and not value.endswith(close) and len(value) < 2000:
            more = next(rows, "")
            if not more.strip():
                break
            value = f"{value} {more.strip()}"
        locks.append(_unquoted(value))
    return _tidy(kept), tuple(lock for lock in locks if lock)


def _unquoted(text: str) -> str:
    close = _QUOTES.get(text[:1], "")
    inner = text[1:-1]
    return inner if close and len(text) > 1 and text.endswith(close) and close not in inner else text


def read_canon(lines: Sequence[str], blocks: Sequence[Block]) -> tuple[str, ...]:
    """One text per list item, paragraph or other block."""
    texts: list[str] = []
    for block in blocks:
        if block.kind is Kind.LIST:
            texts += ["\n".join(item_lines(lines, item)).strip() for item in block.items]
        elif block.kind is not Kind.RULE and not is_comment(lines, block):
            texts.append("\n".join(line.rstrip() for line in lines[block.start : block.end]).strip())
    return tuple(text for text in texts if text)


def read_git(lines: Sequence[str], blocks: Sequence[Block]) -> tuple[GitWorkflow, int]:
    """Branch and prefix, and the branch's 1-based line (0 when it has none)."""
    body = tuple(block for block in blocks if block.kind is not Kind.RULE)
    entries = {entry.name.casefold(): entry for entry in reversed(read_entries(lines, body)) if not entry.bare}
    branch, prefix = entries.get("branch"), entries.get("prefix")
    gone = {entry.line - 1 for entry in (branch, prefix) if entry}
    text = raw_text(lines, blocks, gone)
    commit = _COMMIT.search("\n".join(lines[body[0].start : body[-1].end])) if body else None
    said = _first_line(prefix) if prefix else f"{commit[1]} " if commit else ""
    return GitWorkflow(_first_line(branch).strip(), _spaced(said), text), branch.line if branch else 0


def _first_line(entry: Entry | None) -> str:
    """A field's first code span as it stands, else its first line."""
    first = entry.value.partition("\n")[0] if entry else ""
    code = re.search(r"`([^`]+)`", first)
    return code[1] if code else first


def _spaced(prefix: str) -> str:
    return f"{prefix} " if prefix and not prefix[-1].isspace() else prefix


def read_roadmap(lines: Sequence[str], blocks: Sequence[Block], report: Report) -> tuple[list[Category], set[int]]:
    """Categories with a range of tasks, from lists in which any item has one; and the lines (from 0) they stand on."""
    found: list[Category] = []
    gone: set[int] = set()
    for block in blocks:
        own = [category_of("\n".join(item_lines(lines, item))) for item in block.items]
        if not any(own):
            continue
        for item, category in zip(block.items, own, strict=True):
            if category:
                found.append(category)
                gone |= set(range(item.start, item.end))
            else:
                report(
                    item.start + 1,
                    "this item has no range such as `(10-20 tasks)`; understood as text, not as part of the roadmap",
                )
    return found, gone


def category_of(text: str) -> Category | None:
    plain = text.replace("**", "").strip()
    match = _CATEGORY.fullmatch(plain)
    if match is None or int(match["low"]) > int(match["high"]):
        return None
    return Category(match["title"].strip(), int(match["low"]), int(match["high"]), match["text"].strip())
