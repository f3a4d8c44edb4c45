"""Whether a value looks as if a machine had drawn it: what words, paths and identifiers never do."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

RANDOM = re.compile(r"(?:[\"'`]|(?<!\bh1)[=:]\s{0,3})(?P<value>[A-Za-z0-9+/_-]{20,200}={0,2})(?![A-Za-z0-9+/_=-])")
"""A value in quotes or behind `=` or `:`, in the letters of Base64."""

TOKEN = re.compile(r"(?<![A-Za-z0-9+/_-])(?P<value>[A-Za-z0-9+/_-]{16,200}={0,2})(?![A-Za-z0-9+/_=-])")
"""The same without anything around it."""

ASSIGNED = re.compile(
    r"(?i)(?P<name>(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|auth[_-]?key"
    r"|private[_-]?key|client[_-]?key|credential)[\w-]{0,40})[\"'\]]{0,2}\s{0,8}(?::=|=>|={1,3}|:)[\s(]{0,8}"
    r"(?:Bearer\s{1,3})?[\"'`]?(?P<value>[^\s\"'`<>{}()$,;]{16,200})"
)
"""A name that says that its value is secret, and the value."""

_PUBLIC = re.compile(r"(?i)sha(?:1|256|384|512)[-:_]|AAAA[BCE]3NzaC1|h1:|(?:https?|file|redis|unix):")
"""How digests, public keys and addresses begin."""
_UUID = re.compile(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-fA-F]{24,200}")
LEAST_ENTROPY = 3.6
"""Bits per character. 20 drawn characters of Base64 have 4.1 on average, and 3.6 or more in 999 of 1,000 draws."""
LEAST_CHANGES = 0.35
"""Of all steps from one character to the next, those between upper case, lower case and digits. Drawn characters have
0.60 +- 0.11 at a length of 20, identifiers, versions and paths at most 0.3."""
MOST_IN_WORDS = 0.4
"""Of all characters, those in runs of three or more small letters: 0.16 +- 0.12 where they are drawn, more in identifiers."""
_WORDS = re.compile(r"[a-z]{3,}")


def is_random(value: str) -> bool:
    """Whether a value of 20 characters or more was drawn from upper case, lower case and digits."""
    if _PUBLIC.match(value) or _UUID.search(value):
        return False
    kinds = {_kind(char) for char in value}
    return {"upper", "lower", "digit"} <= kinds and _is_drawn(value)


def is_strong(value: str) -> bool:
    """Whether what a name calls secret is worth hiding: random, or hex digits as a key has them."""
    if _PUBLIC.match(value) or _UUID.search(value):
        return False
    if _HEX.fullmatch(value):
        return entropy(value) >= 3.0 and {"digit"} < {_kind(char) for char in value}
    kinds = {_kind(char) for char in value}
    return len(kinds - {"rest"}) >= 2 and _is_drawn(value)


def _is_drawn(value: str) -> bool:
    in_words = sum(map(len, _WORDS.findall(value))) / len(value)
    return in_words <= MOST_IN_WORDS and changes(value) >= LEAST_CHANGES and entropy(value) >= LEAST_ENTROPY


def entropy(value: str) -> float:
    """Shannon's, in bits per character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)


def changes(value: str) -> float:
    """The share of steps from one kind of letter to another; what stands between words is no such step."""
    kinds = [_kind(char) for char in value]
    steps = sum(one != after and "rest" not in (one, after) for one, after in pairwise(kinds))
    return steps / max(1, len(value) - 1)


def _kind(char: str) -> str:
    if char.isdigit():
        return "digit"
    return "upper" if char.isupper() else "lower" if char.islower() else "rest"
