"""The line of every key, also where TOML lets people write it in odd ways."""

from __future__ import annotations

import tomllib

from hypothesis import example, given
from hypothesis import strategies as st

from callboard.settings.toml_lines import KeyPath, key_lines

DOCUMENT = '''\
# [not.a.table]
title = "x # no comment"   # a comment with [brackets]
"odd key" = 1
a.b.c = 2
a.'b'."d" = """
[not.a.table]
e = 1 \\"""
"""

[table]
list = [
    1,   # one
    [2, "]"],
    { in = 1, line.deep = [ "x",
      "y" ] },
]
text = \'\'\'
[[no]]
\'\'\'\'
date = 1979-05-27T07:32:00Z

[[agents]]
name = "one"
[agents.env]
KEY = "v"
[[agents.parts]]
x = 1
[[agents.parts]]
x = 2
[[agents]]
  name = "two"
  [[agents.parts]]
  x = 3
[ spaced . "out" ]
last = true'''


def test_every_key_has_its_line() -> None:
    lines = key_lines(DOCUMENT)
    assert {
        ("title",): 2,
        ("odd key",): 3,
        ("a",): 4,
        ("a", "b", "c"): 4,
        ("a", "b", "d"): 5,
        ("table",): 10,
        ("table", "list"): 11,
        ("table", "list", 0): 12,
        ("table", "list", 1, 1): 13,
        ("table", "list", 2, "in"): 14,
        ("table", "list", 2, "line", "deep", 1): 15,
        ("table", "text"): 17,
        ("table", "date"): 20,
        ("agents", 0): 22,
        ("agents", 0, "name"): 23,
        ("agents", 0, "env"): 24,
        ("agents", 0, "env", "KEY"): 25,
        ("agents", 0, "parts", 0, "x"): 27,
        ("agents", 0, "parts", 1): 28,
        ("agents", 1): 30,
        ("agents", 1, "name"): 31,
        ("agents", 1, "parts", 0, "x"): 33,
        ("spaced", "out", "last"): 35,
    }.items() <= lines.items()


def test_windows_line_ends_count_once() -> None:
    assert key_lines(DOCUMENT.replace("\n", "\r\n")) == key_lines(DOCUMENT)


def paths_of(value: object, path: KeyPath = ()) -> set[KeyPath]:
    """Every path that tomllib finds."""
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    found = {path} if path else set()
    return found.union(*(paths_of(child, (*path, key)) for key, child in children))


def test_it_finds_the_same_keys_as_tomllib() -> None:
    assert set(key_lines(DOCUMENT)) == paths_of(tomllib.loads(DOCUMENT))


keys = st.sampled_from(["a", "b-c", '"d e"', "'f.g'", '"h\\u0041"', "1"])
space = st.sampled_from(["", " ", "\t", "  "])
scalars = st.sampled_from(
    [
        "1",
        "true",
        "1.5e3",
        '"x"',
        '"a\\"b]"',
        "'c#,'",
        '"""\nm }\n"""',
        '"""x\\"""" y"""',
        "'''\n[z]\n'''",
        "''''q''''",
        "07:32:00",
        '""',
    ]
)
breaks = st.sampled_from(["", "\n", " # c ]\n"])


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(st.tuples(breaks, values, breaks).map("".join), max_size=3)
    return st.tuples(items.map(",".join), breaks).map(lambda parts: f"[{parts[0]}{parts[1]}]")


def inline_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.dictionaries(keys, values, max_size=3)
    return pairs.map(lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items.items()) + "}")


flat = st.recursive(scalars.filter(lambda text: "\n" not in text), inline_tables, max_leaves=4)
values = st.recursive(st.one_of(scalars, flat), arrays, max_leaves=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts: list[str] = []
    for _ in range(draw(st.integers(0, 6))):
        name = ".".join(draw(st.lists(st.tuples(space, keys, space).map("".join), min_size=1, max_size=3)))
        kind = draw(st.integers(0, 3))
        parts.append(
            {0: f"[{name}]", 1: f"[[{name}]]"}.get(kind, f"{name} = {draw(values)}")
            + draw(st.sampled_from(["", " # x = 1", "\r"]))
        )
    return "\n".join(parts)


@given(documents())
def test_any_document_has_the_keys_that_tomllib_finds_and_lines_it_has(document: str) -> None:
    try:
        read = tomllib.loads(document)
    except tomllib.TOMLDecodeError:
        return
    lines = key_lines(document)
    assert set(lines) == paths_of(read)
    assert all(1 <= line <= document.count("\n") + 1 for line in lines.values())


@given(st.text() | st.text(alphabet="[]{}=,.\"'#\\\n a1", max_size=40) | documents())
@example("a = '")
@example("a = [}")
@example('a = "\\')
def test_what_is_no_toml_comes_to_an_end(document: str) -> None:
    key_lines(document)
