"""When two blockers are one problem, and two outputs one failure: by digests of what they say, without what changes from
one time to the next. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CHANGING = (
    (re.compile(r"\b0x[0-9a-f]+\b"), "0"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,}\b"), "0"),
    (re.compile(r"/(?:tmp|var)/\S+"), "/tmp"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "0"),
    (re.compile(r"\s+"), " "),
)
"""Addresses and object names, temporary places, times and counts, and how it is spaced."""


def normalised(text: str) -> str:
    """What a text says, without numbers that change from run to run, temporary paths, case and spacing."""
    text = _ESCAPES.sub("", text).casefold()
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text.strip()


def digest(*parts: str) -> str:
    """16 hex digits over the parts; where one ends counts."""
    joined = "\0".join(parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def problem_id(task: str, what: str, needs: str) -> str:
    """The same for the same words about the same task."""
    return digest(task, normalised(what), normalised(needs))


def failure_digest(outputs: Iterable[str]) -> str:
    """Of all that an attempt failed with, in any order; "" when it said nothing."""
    said = sorted({normalised(text) for text in outputs} - {""})
    return digest(*said) if said else ""
