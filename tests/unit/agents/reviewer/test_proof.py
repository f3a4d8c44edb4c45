"""What a command shows, and when its failure shows nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

import pytest

from callboard.agents.reviewer.proof import MOST, prove
from callboard.bus.errors import CommandFailed
from callboard.bus.task import CommandResult, Finding

Where = Literal["reviewed", "base"]


@dataclass
class Trees:
    """What a command exits with, and prints, on each tree; several = one run after the other."""

    reviewed: list[tuple[int, str]]
    base: list[tuple[int, str]]
    runs: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, where: Where, command: str, timeout_s: float) -> CommandResult:
        assert timeout_s > 0
        self.runs.append((where, command))
        said = self.reviewed if where == "reviewed" else self.base
        code, tail = said.pop(0) if len(said) > 1 else said[0]
        return CommandResult(command=command, exit_code=code, duration_s=0, digest="", tail=tail)


def major(**values: object) -> Finding:
    return Finding.model_validate({"severity": "major", "scenario": "it breaks", "command": "show", **values})


def proved(trees: Trees, *findings: Finding, left_s: float = 100.0) -> tuple[Finding, ...]:
    return asyncio.run(prove(findings or (major(),), trees, lambda: left_s))


RED, GREEN = (1, "AssertionError"), (0, "")


@pytest.mark.parametrize(
    ("reviewed", "base", "proof", "vetoes"),
    [
        ([RED], [GREEN], "shown", True),
        ([RED], [(1, "ImportError: app.urls")], "shown", True),
        ([GREEN], [GREEN], "not_shown", False),
        ([(1, "1 failed in 0.12s")], [(1, "1 failed in 3.40s")], "not_new", False),
        ([(1, "No module named pytest")], [(1, "No module named pytest")], "not_new", False),
        ([(127, "not found")], [GREEN], "unrunnable", False),
        ([(126, "")], [GREEN], "unrunnable", False),
        ([(124, "")], [GREEN], "unrunnable", False),
        ([(137, "")], [GREEN], "unrunnable", False),
        ([RED], [(127, "not found")], "shown", True),
        ([RED], [(124, "")], "unrunnable", False),
        ([RED], [(137, "")], "unrunnable", False),
        ([RED], [(2, "no memory"), RED], "not_new", False),
        ([RED, GREEN], [GREEN], "not_shown", False),
        ([(1, "warning"), (1, "")], [(1, "")], "not_new", False),
        ([(1, "")], [(1, "warning"), (1, "")], "not_new", False),
        ([RED], [(2, "no memory"), (137, "")], "unrunnable", False),
        ([RED], [GREEN, (124, "")], "unrunnable", False),
        ([(125, "no sandbox")], [GREEN], "unrunnable", False),
        ([RED], [(125, "no sandbox")], "unrunnable", False),
        ([RED, (125, "no sandbox")], [GREEN], "not_shown", False),
        ([RED], [GREEN, RED], "not_shown", False),
        ([RED], [(2, "no memory"), GREEN], "not_shown", False),
        ([(1, "a warning"), RED], [(1, "no memory"), RED], "not_new", False),
        ([(1, "in /tmp/a"), (1, "in /tmp/b")], [(1, "in /tmp/c"), (1, "in /tmp/d")], "not_new", False),
        ([(1, "in /tmp/a"), (1, "in /tmp/b")], [(1, "No module named app.urls")], "shown", True),
        ([RED, (2, "AssertionError")], [(1, "in /tmp/c"), (1, "in /tmp/d")], "not_new", False),
    ],
)
def test_red_on_the_reviewed_tree_alone_and_twice_is_a_veto(
    reviewed: list[tuple[int, str]], base: list[tuple[int, str]], proof: str, vetoes: bool
) -> None:
    [found] = proved(Trees(reviewed, base))
    assert (found.proof, found.vetoes) == (proof, vetoes)
    assert found.dropped == "", "what no command shows may be true all the same"
    assert found.ran


def test_a_minor_finding_that_is_shown_vetoes_nothing() -> None:
    [found] = proved(Trees([RED], [GREEN]), major(severity="minor"))
    assert (found.proof, found.vetoes) == ("shown", False)


def test_what_is_dropped_or_names_no_command_is_not_run_and_one_command_runs_once() -> None:
    trees = Trees([RED], [GREEN])
    found = proved(trees, major(dropped="no such quote"), major(command=" "), major(), major(scenario="the same again"))
    assert [it.proof for it in found] == ["", "", "shown", "shown"]
    assert [where for where, _ in trees.runs] == ["reviewed", "base"] * 2


def test_majors_are_run_first_and_no_more_than_a_few() -> None:
    trees = Trees([GREEN], [GREEN])
    many = [major(severity="minor", command=f"minor {n}") for n in range(MOST)]
    found = proved(trees, *many, major())
    assert trees.runs[0] == ("reviewed", "show")
    assert len(trees.runs) == MOST
    assert [it.ran for it in found if it.proof == "unrunnable"] == [f"not run: {MOST} others were"]


def test_nothing_is_run_when_no_time_is_left() -> None:
    trees = Trees([RED], [GREEN])
    [found] = proved(trees, left_s=0)
    assert (found.proof, found.ran, trees.runs) == ("unrunnable", "not run: no time was left", [])


def test_a_sandbox_that_cannot_start_it_proves_nothing() -> None:
    async def broken(where: Where, command: str, timeout_s: float) -> CommandResult:
        raise CommandFailed("no such folder")

    [found] = asyncio.run(prove([major()], broken, lambda: 10.0))
    assert (found.proof, found.vetoes, found.ran) == ("unrunnable", False, "not run: no such folder")
