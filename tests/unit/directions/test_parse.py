"""Files as people write them: all that a tidy one has, and what is a task in it."""

from __future__ import annotations

from datetime import date

import pytest
from parsed import FIXTURES, messages, only_task, parse

from callboard.directions.document import Category, Direction, Problem, Section
from callboard.directions.parse import read_direction


@pytest.fixture(scope="module")
def bakery() -> Direction:
    return read_direction(FIXTURES / "bakery.md")


# --- a whole file with everything in it ------------------------------------------------------------


def test_all_tasks_are_read_in_order_with_their_lines(bakery: Direction) -> None:
    assert [task.number for task in bakery.tasks] == list(range(1, 21))
    assert [task.order for task in bakery.tasks] == list(range(20))
    lines = (FIXTURES / "bakery.md").read_text(encoding="utf-8").split("\n")
    for task in bakery.tasks:
        assert lines[task.source.line - 1] == f"### Task {task.number} - {task.title}"


def test_a_task_has_its_fields_as_written(bakery: Direction) -> None:
    assert bakery.tasks[0].fields == {
        "What": "A form that a clerk fills in while the caller talks",
        "Use": "the form library that the shop page has",
        "Evidence": "a recorded order, the form's test passing",
        "Timeline": "1-2 hours",
    }
    assert bakery.tasks[0].estimate_minutes == (60, 120)
    assert bakery.tasks[7].estimate_minutes == (30, 30)
    assert bakery.tasks[18].title == "Lock The Drawer"
    assert list(bakery.tasks[18].fields) == ["What", "Timeline"]


def test_a_task_that_waits_is_blocked_by_what_it_waits_for(bakery: Direction) -> None:
    blocked = {task.number: task.blocked_by for task in bakery.tasks if task.blocked_by}
    assert blocked == {2: "Waiting for the shop to unpack the `LP-4` printer"}


def test_on_call_tasks_are_standing_and_a_day_without_a_year_is_not_guessed(bakery: Direction) -> None:
    assert [task.number for task in bakery.tasks if task.standing] == [4, 20]
    assert bakery.tasks[19].until is None
    line = bakery.tasks[19].source.line + 2
    assert bakery.problems == (
        Problem(line, "Timeline 'On-call Mar 4-9' names no day as 2025-10-15; understood as standing without an end"),
    )


def test_prose_in_check_and_test_is_no_command(bakery: Direction) -> None:
    assert [task.checks for task in bakery.tasks] == [()] * 20
    assert bakery.tasks[4].fields["Check"] == "till code, printer code, door code"


def test_rules_keep_their_locks_and_one_has_two(bakery: Direction) -> None:
    assert [rule.title for rule in bakery.rules][::5] == ["Bread Before Menus", "Orders Come From One Place"]
    assert [len(rule.locks) for rule in bakery.rules] == [1, 1, 2, 1, 1, 1]
    assert bakery.rules[2].locks == ("My log is mine alone", "One agent, one log")
    assert bakery.rules[4].text.split("\n")[1] == "**Process**: (1) write it down, (2) take the next task"


def test_the_head_canon_mission_focus_and_git_workflow_are_read(bakery: Direction) -> None:
    assert (bakery.epoch, bakery.doc, bakery.owner) == ("2026.03.E2", "docs/directions/bakery.md", "manager")
    assert bakery.last_reviewed == date(2026, 3, 2)
    assert bakery.canon == ("North Star: docs/ovens.md", "Till: read it through its export, never its screen")
    assert bakery.mission.startswith("You keep the order desk")
    assert bakery.focus == (
        "Spring Opening (Mar 2-6, 2026)\n\n**Primary Goal**: three shops take orders through the desk by Friday"
    )
    assert (bakery.git.branch, bakery.git.prefix) == ("bakery/work", "oven: ")


def test_categories_with_ranges_are_the_roadmap_and_no_tasks(bakery: Direction) -> None:
    assert [(own.low, own.high) for own in bakery.roadmap] == [(20, 30), (10, 20), (10, 20), (10, 20), (5, 15), (5, 15)]
    assert bakery.roadmap[2] == Category("Ovens & Vans", 10, 20, "What carries bread")


def test_what_no_field_stands_for_is_kept(bakery: Direction) -> None:
    titles = [section.title for section in bakery.sections]
    assert titles == ["Evening Checklist", "Morning", "🚀 LATER — Roadmap (60-120 Tasks)"]
    assert "**Before**: in the archive" in bakery.sections[1].text
    assert "- 1 shop at a time" in bakery.sections[2].text


def test_the_briefing_carries_what_all_tasks_share(bakery: Direction) -> None:
    briefing = bakery.briefing()
    assert briefing.agent == "bakery"
    assert len(briefing.locks) == 7
    assert len(briefing.version) == 16
    assert briefing.prefix == "oven: "


# --- files without task headings --------------------------------------------------------------------


def test_without_task_headings_the_numbered_list_under_tasks_has_them() -> None:
    direction = read_direction(FIXTURES / "numbered.md")
    assert [(task.number, task.title) for task in direction.tasks] == [
        (1, "Show the beds on a map"),
        (2, "Answer in the visitor's language when it is one of the two we have"),
        (3, "Water on hot days"),
        (4, "Plant list"),
    ]
    first, second, third, fourth = direction.tasks
    assert first.what == "one pin for each bed"
    assert first.paths == ("beds/*.py", "tests/test_beds.py")
    assert first.checks == ("pytest -q tests/test_beds.py",)
    assert (second.depends_on, second.priority) == ((first.key,), 1)
    assert (third.standing, third.until) == (True, date(2026, 9, 30))
    assert fourth.what == "import it from the sheet"
    assert Section("Ways of working", "1. Read the sheet\n2. Ask before you dig") in direction.sections
    assert [category.title for category in direction.roadmap] == ["Composting", "Seeds"]
    assert direction.problems == (
        Problem(26, "the item is ticked; understood as open, since the board knows what is done"),
    )


@pytest.mark.parametrize(
    "written",
    [
        "## Tasks\n1. **Add a page** (P0)\n   **What**: a table\n",
        "## Tasks\n1. **Add a page (P0)**: a table\n",
        "## Tasks\n1. **Add a page** [p0]: a table\n",
        "### Task 1 - Add a page (P0)\n**What**: a table\n",
    ],
)
def test_a_priority_behind_a_title_is_its_priority(written: str) -> None:
    found = only_task(written)
    assert (found.title, found.key, found.priority, found.what) == ("Add a page", "driver-1/add-a-page", 0, "a table")


def test_a_priority_behind_a_title_does_not_stand_above_the_field() -> None:
    found = only_task("### Task 1 - Serve (P0)\n**Priority**: P3\n")
    assert (found.title, found.priority) == ("Serve (P0)", 3)


def test_with_task_headings_no_numbered_list_has_tasks() -> None:
    direction = parse("## Tasks\n\n1. Not this\n2. Nor this\n\n### Task 1 - This\n\n1. a step\n2. another\n")
    assert [task.title for task in direction.tasks] == ["This"]
    assert direction.tasks[0].what == "1. a step\n2. another"


def test_lists_under_headings_below_the_tasks_heading_have_tasks_too() -> None:
    direction = parse("## Tasks\n### Inside\n1. A\n### Outside\n2. B\n## Other\n1. C\n")
    assert [task.title for task in direction.tasks] == ["A", "B"]


def test_a_list_that_counts_all_ones_is_numbered_as_it_is_shown() -> None:
    direction = parse("## Tasks\n1. A\n1. B\n   **Depends**: 1\n")
    assert [task.number for task in direction.tasks] == [1, 2]
    assert direction.tasks[1].depends_on == ("driver-1/a",)


def test_a_list_of_categories_under_a_tasks_heading_is_a_roadmap() -> None:
    direction = parse("## Task list\n1. **Core** (40-50 tasks) - first\n2. **Rest** (1-2 tasks)\n")
    assert direction.tasks == ()
    assert [category.title for category in direction.roadmap] == ["Core", "Rest"]


def test_bullets_under_a_tasks_heading_are_reported_and_no_tasks() -> None:
    direction = parse("## Tasks\n- A\n- B\n")
    assert direction.tasks == ()
    assert [problem.line for problem in direction.problems] == [1, 2]


# --- what ends a task, and what belongs to it ---------------------------------------------------------


def test_a_heading_ends_a_task() -> None:
    task = only_task("### Task 1 - A\n**What**: x\n## Shutdown\n**Evidence**: y\n")
    assert task.fields == {"What": "x"}


def test_a_rule_ends_a_task_even_right_under_its_last_line() -> None:
    direction = parse("### Task 1 - A\n**What**: x\n---\n**Evidence**: y\n")
    assert direction.tasks[0].fields == {"What": "x"}
    assert direction.problems == (
        Problem(4, "Evidence stands after the rule that ended Task 1; understood as a note and not as its field"),
    )
    assert direction.sections == (Section("Notes", "**Evidence**: y"),)


def test_headings_in_code_and_comments_are_no_tasks() -> None:
    direction = parse("### Task 1 - A\n```\n### Task 2 - B\n```\n<!--\n### Task 3 - C\n-->\n**Evidence**: x\n")
    assert [task.number for task in direction.tasks] == [1]
    assert direction.tasks[0].evidence == "x"


@pytest.mark.parametrize(
    "heading",
    [
        "### Task 4 - Mend it",
        "## TASK 4: Mend it",
        "#### Task #4 — Mend it",
        "# **Task 4** – **Mend it**",
        "### 🔥 Task 4. Mend it ###",
        "### Task 4 Mend it",
        "\t### Task\t4 -\tMend it",
    ],
)
def test_a_task_heading_is_known_in_many_forms(heading: str) -> None:
    task = only_task(heading)
    assert (task.number, task.title, task.key) == (4, "Mend it", "driver-1/mend-it")


@pytest.mark.parametrize("heading", ["### Tasks 4 and 5", "### Task force", "### Subtask 4 - x", "### Task 4a - x"])
def test_other_headings_are_no_tasks(heading: str) -> None:
    assert parse(heading).tasks == ()


def test_a_task_heading_without_a_number_is_reported() -> None:
    assert "has no number after Task" in messages(parse("### Task - A\n"))[0]
