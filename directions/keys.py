"""Who a task is, and which task a `Depends` means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from callboard.directions.values import is_none, listed, slug

_NUMBERED = re.compile(r"(?:tasks?\s*)?#?(\d{1,9})(?:\s+[-–—:]\s+\D.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_AND = re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """What a task calls itself."""

    id: str
    """Its explicit Id, or ""."""
    title: str

    @property
    def slug(self) -> str:
        own = slug(self.id) or slug(self.title)
        return own or f"task-{sha256(self.title.encode()).hexdigest()[:8]}"


def assign_slugs(names: Sequence[Name]) -> list[str]:
    """A distinct slug for each.

    Of those that repeat one another the last keeps the plain slug and the ones above it get `-2`, `-3`, ... counted
    upwards: so a task put on top of a file changes nobody else's key, whatever it is called.
    """
    taken: set[str] = set()
    slugs: list[str] = []
    counts: Counter[str] = Counter()
    for name in reversed(names):
        own = base = name.slug
        while own in taken:
            counts[base] += 1
            own = f"{base}-{counts[base] + 1}"
        taken.add(own)
        slugs.append(own)
    return slugs[::-1]


@dataclass(frozen=True, slots=True)
class Dependencies:
    keys: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """What names no task of this file."""


@dataclass(frozen=True, slots=True)
class Index:
    """The tasks of one file by what a `Depends` may call them."""

    agent: str
    slugs: Mapping[str, str]
    """Slug, slug of title -> slug."""
    numbers: Mapping[int, str]
    """Numbers that one task alone has -> its slug."""

    @classmethod
    def of(cls, agent: str, names: Sequence[Name], numbers: Sequence[int], slugs: Sequence[str]) -> Index:
        seen = Counter(numbers)
        return cls(
            agent,
            {slug(name.title): own for name, own in zip(names, slugs, strict=True)} | {own: own for own in slugs},
            {number: own for number, own in zip(numbers, slugs, strict=True) if seen[number] == 1},
        )

    def read(self, text: str) -> Dependencies:
        """Read a `Depends`: numbers, titles or slugs of this file, or `agent/key`."""
        if is_none(text):
            return Dependencies()
        whole = self._find(text)
        if whole:
            return Dependencies((whole,))
        keys: list[str] = []
        unknown: list[str] = []
        for part in listed(text.replace("`", "")).found:
            for name in [part] if self._find(part) else _AND.split(part):
                key = self._find(name)
                keys += [key] if key else []
                unknown += [] if key else [name]
        return Dependencies(tuple(dict.fromkeys(keys)), tuple(unknown))

    def _find(self, name: str) -> str:
        name = name.strip(" `*\"'")
        number = _NUMBERED.fullmatch(name)
        own = self.numbers.get(int(number[1]), "") if number else self.slugs.get(slug(name), "")
        if own:
            return f"{self.agent}/{own}"
        agent, slash, key = name.partition("/")
        foreign = slash and slug(agent) == agent and slug(key) == key
        return name if foreign else ""
