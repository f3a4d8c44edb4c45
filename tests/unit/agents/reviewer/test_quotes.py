"""A quote counts only where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.reviewer.quotes import plausible_path, stands, verify
from callboard.bus.task import Finding

FILE = "def health():\n    port = 80   \n    return port\r\n\nport = 80\n"


def check(finding: Finding, tree: dict[str, bytes]) -> bool:
    return verify([finding], tree.get)[0].verified


@pytest.mark.parametrize(
    ("quote", "line"),
    [
        ("def health():", 1),
        ("port = 80", 2),
        ("    port = 80\n    return port", 2),
        ("port = 80 \n    return port \n", 2),
        ("return port", 3),
        ("port = 80", 5),
        ("return port", 0),
        ("80\n    return", 0),
    ],
)
def test_a_quote_stands_at_its_line(quote: str, line: int) -> None:
    assert stands(FILE, quote, line)


@pytest.mark.parametrize(
    ("quote", "line"),
    [
        ("port = 80", 1),
        ("port = 80", 3),
        ("port = 80", 4),
        ("port = 81", 2),
        ("return port", 2),
        ("port  = 80", 2),
        ("port = 80", 99),
        ("port = 80\nreturn port", 2),
        ("", 1),
        (" \n ", 0),
        ("port = 81", 0),
    ],
)
def test_a_quote_does_not_stand_elsewhere(quote: str, line: int) -> None:
    assert not stands(FILE, quote, line)


@given(st.lists(st.text("ab ", max_size=4), min_size=1, max_size=6), st.data())
def test_every_whole_line_stands_at_its_own_number(lines: list[str], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(lines)))
    assert stands("\n".join(lines), lines[n - 1], n) == bool(lines[n - 1].strip())


@given(st.lists(st.text("ab", max_size=3), max_size=6), st.text("ab\n ", max_size=5), st.integers(0, 8))
def test_a_quote_that_stands_begins_on_its_line(lines: list[str], quote: str, line: int) -> None:
    text = "\n".join(lines)
    if stands(text, quote, line) and line:
        assert quote.strip("\n").split("\n")[0].rstrip() in lines[line - 1]


def test_code_sets_verified_both_ways() -> None:
    tree = {"app.py": FILE.encode()}
    true = Finding(severity="major", file="app.py", line=2, quote="port = 80")
    assert check(true, tree)
    assert not check(true.model_copy(update={"line": 3, "verified": True}), tree)
    assert not check(true.model_copy(update={"file": "other.py", "verified": True}), tree)
    assert not check(true.model_copy(update={"quote": "", "verified": True}), tree)


def test_bytes_that_are_no_text_cannot_be_quoted_by_their_replacement() -> None:
    assert not check(Finding(severity="major", file="x", quote="\ufffd"), {"x": b"\xff\xfe"})


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "a\nb", "-x\0", "a/", "x" * 5000])
def test_paths_that_no_tree_has_never_reach_git(path: str) -> None:
    asked: list[str] = []

    def read(name: str) -> bytes | None:
        asked.append(name)
        return b"port = 80"

    assert not plausible_path(path)
    assert not verify([Finding(severity="major", file=path, quote="port = 80")], read)[0].verified
    assert not asked


def test_a_quote_that_is_not_there_drops_its_finding_and_says_where_it_was_sought() -> None:
    tree = {"app.py": FILE.encode()}
    made_up = Finding(severity="major", file="app.py", line=3, quote="rm -rf")
    assert verify([made_up], tree.get)[0].dropped == "its quote is not at app.py:3"
    for unquoted in (Finding(severity="major", file="gone.py"), Finding(severity="minor", quote="no file")):
        assert verify([unquoted], tree.get)[0].dropped == "", "what is missing cannot be quoted"
