"""Every command that a page or a message tells people to type is there, with its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import typer

from callboard.cli.commands import application

ROOT = Path(__file__).parents[3]
PLACES = ("README.md", "CHANGELOG.md", "docs/*.md", "src/callboard/**/*.py", "agents/**/*.py", "bus/**/*.py")
COMMAND = re.compile(r"`callboard ([^`\n]*)`|^\$ callboard (.*)|^callboard (.*)", re.MULTILINE)
OPTION = re.compile(r"\[?(--[a-z-]+)")


@cache
def everything() -> object:
    return typer.main.get_command(application())


def said(pattern: str) -> Iterator[tuple[str, list[str]]]:
    """Where, and the words behind `callboard`; not those that begin with what a message fills in."""
    for path in sorted(ROOT.glob(pattern)):
        for match in COMMAND.finditer(path.read_text()):
            words = next(filter(None, match.groups()), "").partition("#")[0].split()
            if words and not words[0].startswith("{"):
                yield f"{path.relative_to(ROOT)}: callboard {' '.join(words)}", words


def missing(words: list[str]) -> list[str]:
    """Words that no command takes."""
    command, left = everything(), list(words)
    while left and left[0] in (below := getattr(command, "commands", {})):
        command = below[left.pop(0)]
    if command is everything() and left and not left[0].startswith("-"):
        return left[:1]
    known = {"--help", *(name for one in getattr(command, "params", ()) for name in (*one.opts, *one.secondary_opts))}
    return [match[1] for word in left if (match := OPTION.match(word)) and match[1] not in known]


def test_what_people_are_told_to_type_can_be_typed() -> None:
    found = [one for place in PLACES for one in said(place)]
    assert len(found) > 300
    assert [(where, wrong) for where, words in found if (wrong := missing(words))] == []
    assert missing(["clean", "--runs"]) == ["--runs"]
    assert missing(["launch", "--detached"]) == ["--detached"]
    assert missing(["deploys"]) == ["deploys"]
