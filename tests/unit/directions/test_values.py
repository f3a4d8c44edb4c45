"""What the values of fields mean, and what they do not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.directions import values
from callboard.directions.parse import parse_direction


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-2 hours", (60, 120)),
        ("30 min", (30, 30)),
        ("2h", (120, 120)),
        ("1 hour", (60, 60)),
        ("2–3 Hours.", (120, 180)),
        ("30 min - 1 hour", (30, 60)),
        ("1 to 2 hrs", (60, 120)),
        ("1.5h", (90, 90)),
        ("1h30m", (90, 90)),
        ("~45 minutes", (45, 45)),
        ("`90m`", (90, 90)),
    ],
)
def test_a_time_is_minutes_from_and_to(text: str, expected: tuple[int, int]) -> None:
    assert values.minutes(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "2 days", "1-2", "2-1 hours", "an hour", "1 hour or so", "99999 min"])
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    assert values.minutes(text) is None


@pytest.mark.parametrize(("text", "expected"), [("P0", 0), ("p5", 5), ("3", 3), ("**P1** (soon)", 1)])
def test_a_priority_is_p0_to_p5(text: str, expected: int) -> None:
    assert values.priority(text) == expected


@pytest.mark.parametrize("text", ["", "P6", "P10", "high", "1.5", "P", "-1"])
def test_what_is_no_priority_is_not_guessed(text: str) -> None:
    assert values.priority(text) is None


@pytest.mark.parametrize("text", ["Waiting for the printer", "🔴 BLOCKED by legal", "still **waiting**", "it waits"])
def test_a_status_says_waiting(text: str) -> None:
    assert values.waits(text)


@pytest.mark.parametrize(
    "text", ["", "Active", "Unblocked", "not blocked", "no longer waiting", "isn't blocked any more"]
)
def test_a_status_does_not_say_waiting(text: str) -> None:
    assert not values.waits(text)


@pytest.mark.parametrize(
    ("text", "standing"), [("On-call", True), ("on call Oct 13", True), ("Standing", True), ("1 hour", False)]
)
def test_on_call_work_is_standing(text: str, standing: bool) -> None:
    assert values.is_standing(text) is standing


def test_standing_work_ends_on_the_last_day_it_names() -> None:
    assert values.last_day("On-call 2026-10-13 to 2026-10-15") == date(2026, 10, 15)
    assert values.last_day("On-call 2026-13-45") is None
    assert values.last_day("On-call Oct 13-15") is None


def found(text: str, *, only_code: bool = False) -> tuple[str, ...]:
    return values.commands(text, only_code=only_code).found


def test_commands_stand_in_backticks() -> None:
    assert found("run `pytest -q`, then `make lint`") == ("pytest -q", "make lint")
    assert found("``echo `date` ``") == ("echo `date`",)


def test_commands_are_items_of_a_list() -> None:
    assert found("- pytest -q\n- `make lint` and look at it\n  closely") == ("pytest -q", "make lint")


def test_commands_are_lines_of_a_code_block() -> None:
    text = "```sh\n# first\npytest -q \\\n  tests\n\n$ make lint\n```"
    assert found(text) == found(text, only_code=True) == ("pytest -q tests", "make lint")


def test_a_code_block_that_nothing_closes_still_has_its_last_command() -> None:
    assert found("```\nmake lint") == ("make lint",)


def test_a_code_block_of_another_language_has_none() -> None:
    assert values.commands("```json\n{}\n```", only_code=False) == values.Commands(skipped=("json",))


def test_plain_text_is_a_command_only_where_commands_are_asked_for() -> None:
    assert values.commands("pytest -q", only_code=False) == values.Commands(("pytest -q",), ("pytest -q",))
    assert values.commands("all services are green\n- really", only_code=True) == values.Commands()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`app/*.py`, `tests/`", ("app/*.py", "tests/")),
        ("app/*.py, tests/test_x.py", ("app/*.py", "tests/test_x.py")),
        ("- app/*.py\n- `docs/a b.md`", ("app/*.py", "docs/a b.md")),
        ("web/*.{js,ts}, app.py", ("web/*.{js,ts}", "app.py")),
        ("a.py\nb.py", ("a.py", "b.py")),
    ],
)
def test_paths_are_listed_in_backticks_lists_or_between_commas(text: str, expected: tuple[str, ...]) -> None:
    assert values.listed(text) == values.Parts(expected)


def test_what_stands_beside_backticks_is_told_apart() -> None:
    assert values.listed("`a.py` and `b.py`, or new ones") == values.Parts(("a.py", "b.py"), ("or new ones",))


@pytest.mark.parametrize(("text", "pattern"), [("app/", "app/**"), ("./app/x.py", "app/x.py"), ("*.py", "*.py")])
def test_a_folder_means_all_below_it(text: str, pattern: str) -> None:
    assert values.path_pattern(text) == pattern


@pytest.mark.parametrize(
    ("text", "expected"), [("2 attempts", 2), ("attempts: 5", 5), ("1", 1), ("0", None), ("5M tokens", None)]
)
def test_a_budget_is_a_number_of_attempts(text: str, expected: int | None) -> None:
    assert values.attempts(text) == expected


def test_paths_that_cannot_match_are_reported_and_never_widen_to_the_whole_product() -> None:
    direction = parse_direction("### Task 1 - A\n**Paths**: /etc/passwd, ../x, a b.py\n", agent="a")
    assert direction.tasks[0].paths == ("/etc/passwd", "../x", "a b.py")
    assert len(direction.problems) == 3


def test_empty_paths_are_reported() -> None:
    (problem,) = parse_direction("### Task 1 - A\n**Paths**:\n", agent="a").problems
    assert problem.message == "Paths is empty; understood as the whole product"


@given(st.text())
def test_no_value_is_too_odd_for_any_of_them(text: str) -> None:
    for function in (
        values.minutes,
        values.priority,
        values.attempts,
        values.waits,
        values.last_day,
        values.is_standing,
    ):
        function(text)
    values.commands(text, only_code=False)
    values.listed(text)
    assert values.slug(values.slug(text)) == values.slug(text)
