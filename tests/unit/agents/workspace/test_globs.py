from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.workspace.globs import literal_prefix, matches, matches_any

CASES = [
    ("src/a.py", ["src/a.py", "src/a.py/x"], ["src/a.pyc", "x/src/a.py"]),
    ("src/", ["src/a", "src/b/c"], ["srcx/a"]),
    ("src", ["src", "src/x", "src/x/y"], ["srcs", "a/src"]),
    ("*.py", ["a.py"], ["b/a.py", "a.pyc"]),
    ("**/*.py", ["a.py", "b/a.py", "b/c/a.py"], ["a.pyc"]),
    ("src/**", ["src/a", "src/b/c"], ["srcx", "srcx/a"]),
    ("src/**/t.py", ["src/t.py", "src/a/t.py", "src/a/b/t.py"], ["src/xt.py", "t.py"]),
    ("a/*/b", ["a/x/b"], ["a/x/y/b", "a/b"]),
    ("[ab].c", ["a.c", "b.c"], ["c.c", "/.c"]),
    ("[!a].c", ["b.c"], ["a.c"]),
    ("[a-c]", ["b"], ["-", "d"]),
    ("?", ["a"], ["/", "ab"]),
    ("**", ["a", "a/b"], []),
    ("./x/*", ["x/y"], ["x/y/z"]),
    ("a[", ["a["], ["a"]),
    ("a.b+c", ["a.b+c"], ["axb+c", "a.bbc"]),
    ("", [], ["a"]),
]


@pytest.mark.parametrize(("pattern", "named", "others"), CASES)
def test_a_pattern_names_what_it_says_and_nothing_else(pattern: str, named: list[str], others: list[str]) -> None:
    assert [path for path in named if not matches(pattern, path)] == []
    assert [path for path in others if matches(pattern, path)] == []


def test_one_of_several_patterns_is_enough_and_none_names_nothing() -> None:
    assert matches_any(("docs/", "*.toml"), "docs/a.rst")
    assert not matches_any((), "a")


def test_the_literal_part_of_a_pattern_ends_before_its_first_wildcard() -> None:
    assert literal_prefix(".github/workflows/*.yml") == ".github/workflows"
    assert literal_prefix("AGENTS.md") == "AGENTS.md"
    assert literal_prefix("**") == ""
    assert literal_prefix(".git*/x") == ""


@given(st.text(), st.text(alphabet="ab/.*?["))
def test_any_text_is_a_pattern(pattern: str, path: str) -> None:
    matches(pattern, path)
    matches(path, pattern)


@given(st.from_regex(re.compile(r"[a-z][a-z.]{0,3}(/[a-z][a-z.]{0,3}){0,3}"), fullmatch=True))
def test_a_path_names_itself_and_double_stars_name_everything(path: str) -> None:
    assert matches(path, path)
    assert matches("**", path)
    assert matches(path, f"{path}/below")
