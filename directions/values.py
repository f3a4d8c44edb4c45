"""What the values of a task's fields mean. Each function says None, or an empty tuple, for what it does not understand."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from callboard.directions.blocks import Kind, item_lines, read_blocks, split_lines

SLUG_LENGTH = 80
"""A longer slug is cut and ends in a digest of the whole one."""

_AMOUNT = r"(?:\d{1,4}(?:\.\d{1,2})?)"
_UNIT = r"(?:h|hr|hrs|hours?|m|min|mins|minutes?)"
_TIME = re.compile(
    rf"~?\s*(?:(?P<low>{_AMOUNT})\s*(?P<low_unit>{_UNIT})?\s*(?:-|–|—|to)\s*)?"
    rf"(?:(?P<hours>{_AMOUNT})\s*h\s*(?P<minutes>\d{{1,2}})\s*m(?:in)?|(?P<high>{_AMOUNT})\s*(?P<high_unit>{_UNIT}))\.?",
    re.IGNORECASE | re.ASCII,
)
_STANDING = re.compile(r"\b(?:on[- ]call|standing)\b", re.IGNORECASE)
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b", re.ASCII)
_WAITS = re.compile(r"(?<!not )(?<!n't )(?<!no longer )(?<!never )\b(?:waiting|waits|blocked)\b", re.IGNORECASE)
_PRIORITY = re.compile(r"P?([0-5])\b(?![.\d])", re.IGNORECASE | re.ASCII)
_ATTEMPTS = re.compile(r"(?:attempts\s*[:=]?\s*)?([1-9]\d?)(?:\s*attempts?)?", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_GLUE = frozenset({"", "and", "or"})
_NONE = frozenset({"", "none", "nothing", "n-a", "no"})
_SHELL = frozenset({"", "sh", "bash", "shell", "zsh", "console", "shell-session"})


def slug(title: str) -> str:
    """Small letters, digits and hyphens; accents go, other alphabets stay; "" when nothing is left."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", title) if not unicodedata.combining(c)).casefold()
    words = re.sub(r"[\W_]+", "-", re.sub(r"(?<=\w)['’](?=\w)", "", plain)).strip("-")
    if len(words) <= SLUG_LENGTH:
        return words
    return f"{words[:SLUG_LENGTH].rstrip('-')}-{sha256(words.encode()).hexdigest()[:8]}"


def is_none(text: str) -> bool:
    """It says in words that there is nothing."""
    return slug(text) in _NONE


def priority(text: str) -> int | None:
    found = _PRIORITY.match(text.strip("*_` "))
    return int(found[1]) if found else None


def minutes(text: str) -> tuple[int, int] | None:
    """`1-2 hours` -> (60, 120); `30 min` -> (30, 30)."""
    found = _TIME.fullmatch(text.strip("*_` "))
    if not found:
        return None
    if found["hours"]:
        unit, high = "h", round(float(found["hours"]) * 60) + int(found["minutes"])
    else:
        unit = found["high_unit"]
        high = _in_minutes(found["high"], unit)
    low = _in_minutes(found["low"], found["low_unit"] or unit) if found["low"] else high
    return (low, high) if low <= high else None


def _in_minutes(amount: str, unit: str) -> int:
    return round(float(amount) * (60 if unit.lower().startswith("h") else 1))


def is_standing(text: str) -> bool:
    return _STANDING.search(text) is not None


def last_day(text: str) -> date | None:
    """The last ISO date that the text names."""
    days: list[date] = []
    for found in _DAY.findall(text):
        try:
            days.append(date.fromisoformat(found))
        except ValueError:
            continue
    return max(days, default=None)


def waits(status: str) -> bool:
    return _WAITS.search(status) is not None


def attempts(text: str) -> int | None:
    found = _ATTEMPTS.fullmatch(text.strip("*_` "))
    return int(found[1]) if found else None


def code_spans(text: str) -> tuple[str, ...]:
    """What stands in backticks on one line each."""
    return tuple(found[1].strip() for found in _CODE.findall(text) if found[1].strip())


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands of one field, and the plain texts among them that had no backticks."""

    found: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Languages of code blocks that are no shell."""


def commands(text: str, *, only_code: bool) -> Commands:
    """Commands from backticks, list items and fenced blocks; a fenced block has one a line, a trailing backslash joins two.

    Args:
        only_code: Plain text is no command (the fields Check and Test, which people write as prose).
    """
    lines = split_lines(text)
    found: list[str] = []
    plain: list[str] = []
    skipped: list[str] = []
    for block in read_blocks(lines):
        own = lines[block.start : block.end]
        if block.kind is Kind.FENCE:
            if block.text.split(" ")[0].lower() in _SHELL:
                found += _script(own[1 : len(own) - block.closed])
            else:
                skipped.append(block.text)
            continue
        pieces = ["\n".join(item_lines(lines, item)) for item in block.items] or ["\n".join(own)]
        for piece in pieces:
            spans = code_spans(piece)
            found += spans
            if not spans and not only_code and piece.strip():
                command = " ".join(piece.split())
                found.append(command)
                if not block.items:
                    plain.append(command)
    return Commands(tuple(dict.fromkeys(found)), tuple(plain), tuple(skipped))


def _script(lines: list[str]) -> list[str]:
    whole = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    told = (line.strip().removeprefix("$ ") for line in whole.split("\n"))
    return [line for line in told if line and not line.startswith("#")]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a value that is a list, and what stood beside its backticks and so counts as prose."""

    found: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def listed(text: str) -> Parts:
    """Parts come from list items, from backticks where there are any, else from between commas."""
    lines = split_lines(text)
    found: list[str] = []
    beside: list[str] = []
    for block in read_blocks(lines):
        own = lines[block.start : block.end]
        for piece in ["\n".join(item_lines(lines, item)) for item in block.items] or ["\n".join(own)]:
            spans = code_spans(piece)
            found += spans or _split_commas(piece)
            beside += (
                [part for part in _split_commas(_CODE.sub(",", piece)) if slug(part) not in _GLUE] if spans else []
            )
    return Parts(tuple(dict.fromkeys(part for part in found if part)), tuple(beside))


def _split_commas(text: str) -> list[str]:
    """Commas and line ends separate, but not inside braces (`*.{js,ts}`)."""
    parts, depth = [""], 0
    for sign in text:
        depth = max(0, depth + (sign == "{") - (sign == "}"))
        if sign == "\n" or (sign in ",;" and not depth):
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def path_pattern(text: str) -> str:
    """`./a/` -> `a/**`: a folder means all below it."""
    pattern = text.removeprefix("./")
    return f"{pattern}**" if pattern.endswith("/") else pattern
