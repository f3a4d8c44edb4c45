"""When two blockers are one problem, and two outputs one failure."""

from __future__ import annotations

import pytest

from callboard.agents.manager.problems import failure_digest, normalised, problem_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 failed in 0.12s", "2  failed in 3.4s"),
        ("at 0x7f00ab object", "at 0x7FFF00 object"),
        ("commit 3f2a1bc9 fails", "commit aa0bbc12d fails"),
        ("open /tmp/pytest-1/x.py", "open /tmp/pytest-22/y/z.py"),
        ("2026-03-02 12:00:01 Error", "2026-11-21 01:59:59 error"),
        ("\x1b[31mred\x1b[0m", "red"),
    ],
)
def test_numbers_places_colours_and_spacing_make_no_other_text(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("no key", "no lock"), ("a decade facade", "a facade decade"), ("test_a failed", "test_b failed"), ("", "x")],
)
def test_words_make_another_text(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_problem_is_a_tasks_own_and_says_what_and_what_for() -> None:
    one = problem_id("T-1", "no key", "a key")
    assert one == problem_id("T-1", "No  KEY", "a key ")
    assert len({one, problem_id("T-2", "no key", "a key"), problem_id("T-1", "no keya", " key")}) == 3
    assert problem_id("T-1", "a", "b") != problem_id("T-1", "b", "a")


def test_a_failure_is_all_it_printed_in_any_order() -> None:
    assert failure_digest(["one", "two", ""]) == failure_digest(["two", "one"])
    assert failure_digest([]) == failure_digest(["", " \n"]) == ""
    assert failure_digest(["one two"]) != failure_digest(["one", "two"])
