"""Files that are hardly readable: all that can be read is, and every oddity is reported with its line."""

from __future__ import annotations

import pytest
from parsed import FIXTURES, messages, only_task, parse

from callboard.directions.document import Direction, Problem
from callboard.directions.parse import read_direction


@pytest.fixture(scope="module")
def untidy() -> Direction:
    return read_direction(FIXTURES / "untidy.md")


def test_an_untidy_file_gives_what_can_be_read(untidy: Direction) -> None:
    assert [(task.number, task.key) for task in untidy.tasks] == [
        (7, "untidy/no-space-between-fields"),
        (2, "untidy/second-out-of-order-2"),
        (2, "untidy/second-out-of-order"),
        (12, "untidy/task-12"),
    ]
    first, second, third, _ = untidy.tasks
    assert first.evidence == "- a page\n- a picture"
    assert first.fields["Colour"] == "red,\nthen blue"
    assert first.estimate_minutes == (90, 90)
    assert second.depends_on == (first.key, "other/thing")
    assert second.checks == ("pytest -q tests", "make lint", "curl -f localhost")
    assert second.priority == 2
    assert (third.what, third.evidence) == ("a repeat\nsaid again", "not bold")
    assert (untidy.epoch, untidy.owner, untidy.last_reviewed) == ("2026.1", "", None)


def test_every_oddity_of_an_untidy_file_is_reported_with_its_line(untidy: Direction) -> None:
    reported = {problem.line for problem in untidy.problems}
    assert reported == {3, 4, 16, 17, 18, 19, 27, 29, 31, 33, 34, 35, 37, 38, 39, 40, 42, 43, 44, 45}


def test_an_unknown_dependency_blocks_the_task_instead_of_starting_it_too_early(untidy: Direction) -> None:
    assert untidy.tasks[1].blocked_by == "it depends on 'Task 9', which its direction file does not have"


def test_a_field_that_nobody_foresaw_is_kept_in_its_place() -> None:
    task = only_task("### Task 1 - A\n**Zeta**: 1\n**What**: x\n**Alpha**:\n- a\n- b\n\n  c\n\nd\n")
    assert list(task.fields.items()) == [("Zeta", "1"), ("What", "x"), ("Alpha", "- a\n- b\n\n  c\n\nd")]


def test_a_field_that_looks_like_a_known_one_is_reported() -> None:
    direction = parse("### Task 1 - A\n**Depends on**: 2\n")
    assert direction.tasks[0].depends_on == ()
    assert messages(direction)[0].endswith("did you mean Depends?")


def test_no_field_is_lost_under_a_list_that_it_follows_without_a_gap() -> None:
    task = only_task("### Task 1 - A\n**Evidence**:\n- a\n- b\n**Timeline**: 2h\n> q\n**Serves**: you\n")
    assert (task.evidence, task.estimate_minutes, task.serves) == ("- a\n- b", (120, 120), "you")


def test_a_list_right_under_an_empty_field_is_its_value_even_if_it_looks_like_fields() -> None:
    task = only_task("### Task 1 - A\n**Limits**:\n- **Budget**: none\n- **Tools**: git\n")
    assert task.fields == {"Limits": "- **Budget**: none\n- **Tools**: git"}


def test_text_that_markdown_would_not_show_is_kept() -> None:
    assert parse("## Mission\n[here]: https://example.org\n").mission == "[here]: https://example.org"


def test_repeated_sections_are_joined_and_reported() -> None:
    direction = parse("## Mission\na\n## Mission\nb\n")
    assert direction.mission == "a\n\nb"
    assert direction.problems == (Problem(3, "a section like 'Mission' is also on line 1; understood as more of it"),)


def test_a_lock_outside_any_rule_is_kept_and_reported() -> None:
    direction = parse('## Non-negotiables\n**Memory Lock**: "Look twice"\n')
    assert direction.briefing().locks == ("Look twice",)
    assert "is under no rule" in messages(direction)[0]


def test_rules_may_be_a_list() -> None:
    direction = parse(
        '## Non-negotiables\n1. **Never push.** Not once.\n   **Memory Lock**: "No\n   push"\n2. Be kind\n'
    )
    assert [(rule.title, rule.locks) for rule in direction.rules] == [("Never push", ("No push",)), ("Be kind", ())]
