"""docs/attacks.md names tests that are there, and for every attack one that shows what happens without the wall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from named_tests import source_of

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/attacks.md"
NOT_YET: set[str] = set()
OFF = ("wall off", "imported_without_intake", "without_the_wall", "no wall", "open_wall", "steals(", "OFF", "is_seen")
"""What a test with its control in it says."""


def rows() -> dict[str, tuple[list[str], list[str]]]:
    """Number -> node ids that show the attack refused, and those of their controls, or `itself`."""
    lines = [line.split(" | ") for line in PAGE.read_text().splitlines() if re.match(r"\| \d", line)]
    return {line[0].removeprefix("| "): (_ids(line[3]), _ids(line[4].removesuffix(" |"))) for line in lines}


def _ids(cell: str) -> list[str]:
    found: list[str] = []
    for part in cell.split("<br>") if cell != "-" else ():
        name, file = part.strip("`*"), found[-1].partition("::")[0] if found else ""
        found.append(name if "::" in name or name == "itself" else f"{file}::{name}")
    return found


def pairs() -> Iterator[tuple[str, str]]:
    for shown, controls in rows().values():
        yield from zip(shown, controls, strict=True)


def test_every_attack_has_its_row_and_all_that_apply_a_test_and_a_control() -> None:
    assert list(rows()) == [str(n) for n in range(1, 24)]
    assert {number for number, (shown, _) in rows().items() if not shown} == NOT_YET


@pytest.mark.parametrize(("shown", "control"), sorted(set(pairs())))
def test_what_the_page_names_is_there(shown: str, control: str) -> None:
    source = source_of(shown)
    if control == "itself":
        assert any(word in source for word in OFF), f"{shown} does not say what happens with the wall off"
    else:
        source_of(control)


def test_a_name_that_is_nowhere_is_found_out() -> None:
    with pytest.raises(AssertionError, match="has no such test"):
        source_of("unit/test_attacks_page.py::test_of_nothing")
    with pytest.raises(AssertionError, match=r"there is no tests/unit/nowhere\.py"):
        source_of("unit/nowhere.py::test_x")
