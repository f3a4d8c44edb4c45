"""The changes that are judged, each in two versions: with a bug of a known class, and done right.

A file of `changes/` is a class of bugs. In it each change begins with `=== change NAME` and says title, what and evidence, as
a task does; `=== file PATH` begins a file, whose lines have a mark and a blank in front, and `=== probe` the Python that must
fail on the version with the bug and pass on the other.

    |  stays as it is                -  goes, in both versions         +  comes, in both
    b  comes with the bug alone      c  comes where it is right        !  as b: here the bug is
    *  as +, and with the bug this is where something is missing
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from callboard.bus.task import TaskSpec

FOLDER = Path(__file__).parent / "changes"
DRIVER = "driver-1"
"""Who handed them in, as far as reviewers are told."""
_BEFORE, _BUGGY, _CLEAN, _BUG = "|-", "|+b!*", "|+c*", "!*"
_SEPARATOR = "=== "


@dataclass(frozen=True, slots=True)
class Case:
    """One change to judge; its id, and all that a reviewer sees, says nothing of what it is."""

    id: str
    bug_class: str
    name: str
    is_buggy: bool
    spec: TaskSpec
    before: Mapping[str, str]
    """Path -> content."""
    after: Mapping[str, str]
    bug: Mapping[str, frozenset[int]]
    """Path -> 1-based lines of `after` with the bug; empty where it is clean."""
    probe: str


def read_cases(folder: Path = FOLDER) -> tuple[Case, ...]:
    """All of them, both versions of a change side by side.

    Raises:
        ValueError: A file cannot be read so; the message names it.
    """
    found = [case for path in sorted(folder.glob("*.txt")) for case in _in_file(path)]
    if len({case.id for case in found}) < len(found):
        raise ValueError(f"{folder}: two changes have the same name")
    return tuple(found)


def sample(cases: Sequence[Case], seed: int, most: int = 0) -> tuple[Case, ...]:
    """Some of them in an order that says nothing: both versions of a change or none, and classes in turn.

    Args:
        most: How many changes, both versions counted; 0 = all.
    """
    drawn = random.Random(seed)
    classes: dict[str, list[str]] = {}
    for name, kind in dict.fromkeys((case.name, case.bug_class) for case in cases):
        classes.setdefault(kind, []).append(name)
    kinds = [drawn.sample(names, len(names)) for names in drawn.sample(list(classes.values()), len(classes))]
    in_turn = [name for turn in zip_longest(*kinds) for name in turn if name is not None]
    chosen = set(in_turn[: most // 2] if most else in_turn)
    kept = [case for case in cases if case.name in chosen]
    return tuple(drawn.sample(kept, len(kept)))


def digest(cases: Sequence[Case]) -> str:
    """16 hex digits over all that reviewers see of them, whatever their order; a recording holds for these alone."""
    seen = sorted(json.dumps([case.id, case.spec.digest, dict(case.before), dict(case.after)]) for case in cases)
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16]


def _in_file(path: Path) -> Iterator[Case]:
    for block in _blocks(path.read_text("utf-8"), "change"):
        name, text = block
        try:
            yield from _versions(path.stem, name, text)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}: {name}: {error}") from error


def _versions(bug_class: str, name: str, text: str) -> Iterator[Case]:
    head, *_ = text.split(f"\n{_SEPARATOR}")
    said = dict(line.split(": ", 1) for line in head.strip().split("\n"))
    files = list(_blocks(text, "file"))
    ((_, probe),) = _blocks(text, "probe")
    for is_buggy in (True, False):
        # nothing of the class, the name or the version can be read from it
        id = "c" + hashlib.sha256(f"{bug_class} {name} {is_buggy}".encode()).hexdigest()[:7]
        spec = TaskSpec(key=f"{DRIVER}/{id}", agent=DRIVER, **{key: said[key] for key in ("title", "what", "evidence")})
        yield Case(
            id=id,
            bug_class=bug_class,
            name=name,
            is_buggy=is_buggy,
            spec=spec,
            before={path: _text(lines, _BEFORE) for path, lines in files},
            after={path: _text(lines, _BUGGY if is_buggy else _CLEAN) for path, lines in files},
            bug={path: bug for path, lines in files if is_buggy and (bug := _bug_in(lines))},
            probe=probe,
        )


def _blocks(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Name and content of each block of a kind; a change holds the blocks behind it."""
    parts = f"\n{text}".split(f"\n{_SEPARATOR}{kind}")
    for part in parts[1:]:
        name, _, content = part.partition("\n")
        yield name.strip(), content if kind == "change" else content.split(f"\n{_SEPARATOR}")[0].rstrip("\n") + "\n"


def _marked(lines: str) -> Iterator[tuple[str, str]]:
    for line in lines.rstrip("\n").split("\n"):
        mark, text = line[:1], line[2:]
        if mark not in set(_BEFORE + _BUGGY + _CLEAN) or line[1:2].strip():
            raise ValueError(f"expected a mark and a blank, found {line!r}")
        yield mark, text


def _text(lines: str, wanted: str) -> str:
    return "".join(f"{text}\n" for mark, text in _marked(lines) if mark in wanted)


def _bug_in(lines: str) -> frozenset[int]:
    shown = [mark for mark, _ in _marked(lines) if mark in _BUGGY]
    return frozenset(n for n, mark in enumerate(shown, start=1) if mark in _BUG)
