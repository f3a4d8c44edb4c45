"""docs/faults.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

from named_tests import source_of

ROWS = [
    line.split(" | ")
    for line in (Path(__file__).parents[2] / "docs/faults.md").read_text().splitlines()
    if re.match(r"\| T\d", line)
]


def test_every_fault_has_its_row() -> None:
    assert [row[0].removeprefix("| ") for row in ROWS] == [f"T{n}" for n in range(1, 19)]


def test_what_the_page_names_is_there() -> None:
    for row in ROWS:
        file = ""
        names = re.findall(r"`([^`]+)`", row[3])
        assert names or "not yet" in row[2], row[0]
        for name in names:
            file = name.partition("::")[0] if "::" in name else file
            source_of(name if "::" in name else f"{file}::{name}")
