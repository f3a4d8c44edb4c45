"""The head of a direction file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callboard.directions.front_matter import FrontMatter, read_front_matter, write_front_matter


def read(text: str) -> tuple[FrontMatter, list[tuple[int, str]]]:
    problems: list[tuple[int, str]] = []
    return read_front_matter(text.split("\n"), lambda line, message: problems.append((line, message))), problems


def test_values_are_texts_as_written() -> None:
    head, problems = read("---\nepoch: 2025.10\nlast_reviewed: 2025-10-12\nowner: 'me: myself'\nempty:\n---\n# x")
    assert head.values == {"epoch": "2025.10", "last_reviewed": "2025-10-12", "owner": "me: myself", "empty": ""}
    assert head.lines == {"epoch": 2, "last_reviewed": 3, "owner": 4, "empty": 5}
    assert (head.height, problems) == (6, [])


def test_lists_and_mappings_are_kept_as_json() -> None:
    head, _ = read("---\ntags: [a, 1]\nteam:\n  lead: x\n---")
    assert head.values == {"tags": '["a", "1"]', "team": '{"lead": "x"}'}


def test_a_file_may_have_none() -> None:
    assert read("# Title\n---\na: b\n---") == (FrontMatter({}, {}, 0), [])


def test_one_that_nothing_closes_is_none() -> None:
    head, problems = read("---\nowner: me\n# Title\n")
    assert head.height == 0
    assert problems[0][0] == 1


def test_one_that_is_huge_is_left_out() -> None:
    head, problems = read(f"---\na: {'x' * 50_000}\n---\n# Title")
    assert (head.values, head.height) == ({}, 3)
    assert problems == [(1, "the front matter is larger than 50,000 characters; left out")]


def test_a_broken_line_costs_that_line_alone() -> None:
    head, problems = read("---\nowner: me\nepoch: [1\ndoc: x\n---")
    assert head.values == {"owner": "me", "doc": "x"}
    assert [line for line, _ in problems] == [4, 3]


def test_a_key_said_twice_has_its_last_value_and_is_reported() -> None:
    head, problems = read("---\nowner: a\nowner: b\n---")
    assert head.values == {"owner": "b"}
    assert problems == [(3, "owner is said twice in the front matter; understood as 'b'")]


def test_a_few_lines_that_unfold_without_end_are_left_out() -> None:
    bomb = "a0: &a0 [x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    head, problems = read(f"---\n{bomb}owner: me\n---")
    assert head.values["owner"] == "me"
    assert problems


def test_brackets_without_end_are_left_out() -> None:
    head, problems = read(f"---\na: {'[' * 20_000}\nowner: me\n---")
    assert head.values == {"owner": "me"}
    assert problems


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=4))
def test_what_is_written_reads_back(values: dict[str, str]) -> None:
    written = write_front_matter(values)
    if values:
        assert read(written) == (FrontMatter(values, {key: n for n, key in enumerate(values, 2)}, len(values) + 2), [])


@given(st.text())
def test_every_text_can_be_read(text: str) -> None:
    read(f"---\n{text}\n---\n")
