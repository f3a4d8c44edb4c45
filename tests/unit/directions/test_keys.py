"""Who a task is must not depend on what stands around it."""

from __future__ import annotations

import pytest
from direction_texts import titles
from hypothesis import given
from hypothesis import strategies as st

from callboard.directions.keys import Index, Name, assign_slugs
from callboard.directions.parse import parse_direction
from callboard.directions.values import SLUG_LENGTH, slug

names = st.builds(Name, st.sampled_from(["", "", "", "a", "mend-x"]), titles | st.sampled_from(["A", "A 2", "!", "?"]))


def keys(*tasks: str) -> list[str]:
    text = "".join(f"### Task {n} - {task}\n\n" for n, task in enumerate(tasks, 1))
    return [task.key for task in parse_direction(text, agent="a").tasks]


def test_a_key_is_the_id_or_the_slug_of_the_title_within_its_file() -> None:
    assert keys("Add a /health endpoint", "Other\n**Id**: T 9") == ["a/add-a-health-endpoint", "a/t-9"]


def test_a_repeated_title_gets_a_key_of_its_own_and_is_reported() -> None:
    direction = parse_direction("### Task 1 - A\n### Task 2 - B\n### Task 3 - A\n", agent="a")
    assert [task.key for task in direction.tasks] == ["a/a-2", "a/b", "a/a"]
    assert [problem.line for problem in direction.problems] == [1]
    assert "the title 'A' is also that of line 3" in direction.problems[0].message


@given(st.lists(names, max_size=8), names)
def test_a_task_put_on_top_changes_no_other_key(below: list[Name], new: Name) -> None:
    assert assign_slugs([new, *below])[1:] == assign_slugs(below)


@given(st.lists(names, max_size=12))
def test_keys_are_distinct(written: list[Name]) -> None:
    assert len(set(assign_slugs(written))) == len(written)


@given(st.lists(titles, min_size=1, max_size=6, unique_by=slug), st.data())
def test_a_task_put_anywhere_changes_no_other_key_when_titles_differ(written: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(written)))
    inserted = keys(*written[:at], "Something quite new", *written[at:])
    assert inserted[:at] + inserted[at + 1 :] == keys(*written)


def test_the_text_of_a_task_and_its_place_do_not_change_its_key() -> None:
    assert keys("A\n**What**: one", "B") == ["a/a", "a/b"]
    assert keys("B", "A\n**What**: two") == ["a/b", "a/a"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Add a /health endpoint!", "add-a-health-endpoint"),
        ("  Über-Größe — 2nd ", "uber-grosse-2nd"),
        ("The clerk's page", "the-clerks-page"),
        ("日本語 を読む", "日本語-を読む"),
        ("🔥", ""),
    ],
)
def test_a_slug_is_small_letters_digits_and_hyphens(title: str, expected: str) -> None:
    assert slug(title) == expected


def test_a_long_slug_is_cut_but_stays_different_from_others_cut_at_the_same_place() -> None:
    one, other = slug("word " * 40 + "one"), slug("word " * 40 + "two")
    assert one != other
    assert len(one) <= SLUG_LENGTH + 9


def test_a_title_of_signs_alone_still_has_a_key() -> None:
    assert len({*keys("🔥"), *keys("✅")}) == 2


# --- Depends ----------------------------------------------------------------------------------------------

INDEX = Index.of(
    "a",
    [Name("", "Set up"), Name("", "Fish, and chips"), Name("x-1", "Third")],
    [1, 2, 2],
    ["set-up", "fish-and-chips", "x-1"],
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", ["a/set-up"]),
        ("Task 1", ["a/set-up"]),
        ("#1, Task 1 - Set up", ["a/set-up"]),
        ("1 and Third", ["a/set-up", "a/x-1"]),
        ("`set-up`, `b/other`", ["a/set-up", "b/other"]),
        ("Fish, and chips", ["a/fish-and-chips"]),
        ("x-1\nset-up", ["a/x-1", "a/set-up"]),
        ("- 1\n- `x-1`", ["a/set-up", "a/x-1"]),
        ("none", []),
        ("-", []),
    ],
)
def test_a_dependency_is_a_number_a_title_a_slug_or_a_key(text: str, expected: list[str]) -> None:
    found = INDEX.read(text)
    assert list(found.keys) == expected
    assert found.unknown == ()


@pytest.mark.parametrize("text", ["2", "9", "1-2", "the design", "B/Other"])
def test_what_names_no_single_task_is_unknown_and_not_guessed(text: str) -> None:
    found = INDEX.read(text)
    assert (found.keys, found.unknown) == ((), (text,))
