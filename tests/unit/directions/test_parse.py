"""Files as people write them, from tidy to hardly readable."""

from __future__ import annotations

import cProfile
from datetime import date
from pathlib import Path

import pytest
from direction_texts import untidy_texts
from hypothesis import given
from hypothesis import strategies as st

from callboard.bus.errors import ConfigError
from callboard.bus.task import TaskSpec
from callboard.directions.document import Category, Direction, Problem, Section
from callboard.directions.parse import MAX_BYTES, parse_direction, read_direction

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def bakery() -> Direction:
    return read_direction(FIXTURES / "bakery.md")


@pytest.fixture(scope="module")
def untidy() -> Direction:
    return read_direction(FIXTURES / "untidy.md")


def parse(text: str) -> Direction:
    return parse_direction(text, agent="driver-1")


def only_task(text: str) -> TaskSpec:
    (task,) = parse(text).tasks
    return task


def messages(direction: Direction) -> list[str]:
    return [problem.message for problem in direction.problems]


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


# --- untidiness -----------------------------------------------------------------------------------------


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


# --- bytes ------------------------------------------------------------------------------------------------


def read_bytes(tmp_path: Path, data: bytes) -> Direction:
    path = tmp_path / "driver-1.md"
    path.write_bytes(data)
    return read_direction(path)


def spoken(direction: Direction) -> list[TaskSpec]:
    return [task.model_copy(update={"source": None}) for task in direction.tasks]


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(tmp_path: Path, ending: str) -> None:
    data = (FIXTURES / "bakery.md").read_text(encoding="utf-8")
    plain = read_bytes(tmp_path, data.encode())
    odd = read_bytes(tmp_path, b"\xef\xbb\xbf" + data.replace("\n", ending).encode())
    assert odd.tasks == plain.tasks
    assert (odd.rules, odd.epoch, odd.problems) == (plain.rules, plain.epoch, plain.problems)
    assert odd.version != plain.version


def test_tabs_indent_like_spaces(tmp_path: Path) -> None:
    direction = read_bytes(tmp_path, b"## Tasks\n1.\tA\n\t**Evidence**: x\n\t- **Paths**: `a`\n\n\tmore\n")
    assert direction.tasks[0].fields == {"Evidence": "x", "Paths": "`a`\n\nmore"}


def test_bytes_that_are_not_utf8_are_replaced_and_reported(tmp_path: Path) -> None:
    direction = read_bytes(tmp_path, b"### Task 1 - Caf\xe9\n**What**: x\n")
    assert direction.tasks[0].title == "Caf\ufffd"
    assert direction.problems == (Problem(1, "byte 0xe9 is not UTF-8; such bytes were read as \ufffd"),)


def test_control_characters_are_replaced_and_reported(tmp_path: Path) -> None:
    direction = read_bytes(tmp_path, b"### Task 1 - A\n**What**: a\x00b\x1b[31m\n")
    assert direction.tasks[0].what == "a\ufffdb\ufffd[31m"
    assert direction.problems == (Problem(2, "control characters from here on; read as \ufffd"),)


def test_a_file_that_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_direction(tmp_path / "nobody.md", shown="directions/nobody.md")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_direction(tmp_path)
    huge = tmp_path / "huge.md"
    huge.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match=r"is larger than 1,000,000 bytes"):
        read_direction(huge)


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    assert messages(read_bytes(tmp_path, b"")) == ["the file is empty; understood as no tasks"]


# --- any text --------------------------------------------------------------------------------------------


@given(st.text() | untidy_texts)
def test_every_text_gives_a_direction_with_distinct_keys_and_real_lines(text: str) -> None:
    direction = parse(text)
    keys = [task.key for task in direction.tasks]
    assert len(set(keys)) == len(keys)
    lines = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert all(1 <= problem.line <= lines for problem in direction.problems)
    assert all(task.title == " ".join(task.title.split()) != "" for task in direction.tasks)


@given(st.binary(max_size=300))
def test_every_bytes_give_a_direction(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    read_bytes(tmp_path_factory.mktemp("any"), data)


def calls_to_parse(count: int) -> int:
    """How many functions are called to read a direction of so many tasks."""
    task = "### Task {n} - Do {n}\n**What**: x\n**Depends**: 1\n**Paths**: `a/{n}.py`\n**Checks**:\n- `make`\n\n---\n\n"
    text = "## Active tasks\n" + "".join(task.format(n=n) for n in range(1, count + 1))
    profile = cProfile.Profile()
    direction = profile.runcall(parse, text)
    assert len(direction.tasks) == count
    return sum(entry.callcount for entry in profile.getstats())


def test_three_times_the_tasks_take_no_more_than_three_times_the_steps() -> None:
    assert calls_to_parse(300) < 3.1 * calls_to_parse(100)


@pytest.mark.parametrize(
    "text",
    [
        "## Git workflow\n" + "git commit -m '" * 7_000,
        "### Task 1 - A\n**Checks**: " + "` `` " * 20_000,
        "### Task 1 - A\n" + " " * 100_000 + "**W",
        "## Non-negotiables\n" + "- " * 50_000 + "x",
        "## Later\n1. (" + "1" * 100_000,
        "## Tasks\n" + "1. **a" * 15_000,
        "> " * 50_000,
    ],
    ids=["commits", "backticks", "spaces", "dashes", "range", "bold", "quotes"],
)
@pytest.mark.timeout(60)
def test_text_made_to_be_slow_is_read_all_the_same(text: str) -> None:
    """What grows with the square of its length would take many minutes."""
    assert parse(text).agent == "driver-1"
