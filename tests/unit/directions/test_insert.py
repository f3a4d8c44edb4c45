"""New tasks in a file that people wrote: they read back, and nothing else says anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from direction_texts import task_specs, untidy_texts
from hypothesis import given
from hypothesis import strategies as st

from callboard.bus.errors import ConfigError
from callboard.bus.task import TaskSpec
from callboard.directions.insert import insert_tasks
from callboard.directions.parse import parse_direction

FIXTURES = Path(__file__).parent / "fixtures"
NEW = TaskSpec(
    key="driver-1/weigh-the-flour",
    title="Weigh the flour",
    agent="driver-1",
    what="A scale at the mixer",
    evidence="the scale's reading in the log",
    serves="bread that is the same every day",
    priority=1,
    estimate_minutes=(120, 180),
    paths=("mixer/**",),
    checks=("pytest -q tests/test_scale.py",),
)


def asked(task: TaskSpec) -> TaskSpec:
    return task.model_copy(update={"source": None, "number": 0, "order": 0, "fields": {}})


@pytest.mark.parametrize("name", ["bakery", "numbered"])
def test_a_file_gets_tasks_and_every_line_of_it_stays(name: str) -> None:
    text = (FIXTURES / f"{name}.md").read_text()
    before = parse_direction(text, agent="driver-1")
    after_text = insert_tasks(text, [NEW], agent="driver-1")
    after = parse_direction(after_text, agent="driver-1")
    assert asked(after.tasks[-1]) == asked(NEW)
    assert [task.digest for task in after.tasks[:-1]] == [task.digest for task in before.tasks]
    rest = iter(after_text.splitlines())
    assert all(line in rest for line in text.splitlines() if line.strip())


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("", "## Active tasks\n\n### Task 1 - Weigh the flour\n"),
        ("# Driver 1\n\n## Mission\n\nBread.\n", "## Active tasks\n\n### Task 1 - Weigh the flour\n"),
        ("## Tasks\n\n## Git workflow\n\n**Prefix**: `x: `\n", "### Task 1 - Weigh the flour\n"),
        ("## Tasks\n\n1. Bake\n2. Sell\n", "3. Weigh the flour\n   **What**"),
        ("#### Task 7 - Bake\n\n**What**: bread\n\n---\n\n## Canon\n\n- a\n", "#### Task 8 - Weigh the flour\n"),
    ],
)
def test_tasks_take_the_form_that_the_file_has(text: str, begins: str) -> None:
    assert begins in insert_tasks(text, [NEW], agent="driver-1")


def test_priority_and_estimate_are_written_as_people_write_them() -> None:
    text = insert_tasks(
        "", [NEW, NEW.model_copy(update={"key": "driver-1/b", "title": "B", "priority": 2})], agent="driver-1"
    )
    assert text.count("**Timeline**: 2-3 hours\n") == 2
    assert text.index("**Priority**: P1\n") < text.index("**Priority**: P2\n")


@pytest.mark.parametrize(
    ("minutes", "said"), [((30, 60), "30-60 min"), ((60, 60), "1 hour"), ((45, 45), "45 min"), ((60, 300), "1-5 hours")]
)
def test_an_estimate_reads_back(minutes: tuple[int, int], said: str) -> None:
    text = insert_tasks("", [NEW.model_copy(update={"estimate_minutes": minutes})], agent="driver-1")
    assert f"**Timeline**: {said}\n" in text
    assert parse_direction(text, agent="driver-1").tasks[0].estimate_minutes == minutes


def test_fields_that_are_no_attributes_are_written_too() -> None:
    task = NEW.model_copy(update={"fields": {"Epic": "Core"}})
    after = parse_direction(insert_tasks("", [task], agent="driver-1"), agent="driver-1")
    assert after.tasks[0].fields["Epic"] == "Core"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("## Tasks\n\n1. Weigh the flour\n", "would change what the file says"),
        ("### Task 1 - Bake\n\n```\nnever closed\n", "would change what the file says"),
        ((FIXTURES / "untidy.md").read_text(), "would change what the file says"),
    ],
)
def test_a_file_that_would_say_something_else_is_left_to_people(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        insert_tasks(text, [NEW], agent="driver-1", path="directions/driver-1.md")


@given(untidy_texts, st.lists(task_specs(), min_size=1, max_size=3))
def test_any_file_gets_its_tasks_or_is_left_alone(text: str, tasks: list[TaskSpec]) -> None:
    before = parse_direction(text, agent="driver-1")
    try:
        after = parse_direction(insert_tasks(text, tasks, agent="driver-1"), agent="driver-1")
    except ConfigError:
        return
    assert [task.digest for task in after.tasks[: len(before.tasks)]] == [task.digest for task in before.tasks]
    assert len(after.tasks) == len(before.tasks) + len(tasks)
