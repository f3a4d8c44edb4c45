"""What is written reads back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from direction_texts import directions, untidy_texts
from hypothesis import given

from callboard.bus.errors import ConfigError
from callboard.bus.task import TaskSpec
from callboard.directions.document import Direction, Rule
from callboard.directions.parse import parse_direction, read_direction
from callboard.directions.write import write_direction

FIXTURES = Path(__file__).parent / "fixtures"


def reread(direction: Direction) -> Direction:
    return parse_direction(write_direction(direction), agent=direction.agent)


@pytest.mark.parametrize("name", ["bakery", "numbered", "untidy"])
def test_a_file_that_was_read_is_written_so_that_it_says_the_same(name: str) -> None:
    direction = read_direction(FIXTURES / f"{name}.md")
    again = reread(direction)
    assert [task.digest for task in again.tasks] == [task.digest for task in direction.tasks]
    assert [task.key for task in again.tasks] == [task.key for task in direction.tasks]
    kept = (
        "rules",
        "canon",
        "mission",
        "focus",
        "git",
        "roadmap",
        "sections",
        "front_matter",
        "last_reviewed",
        "intro",
    )
    assert [getattr(again, field) for field in kept] == [getattr(direction, field) for field in kept]


@given(untidy_texts)
def test_any_text_reads_back_after_it_was_written(text: str) -> None:
    written = write_direction(parse_direction(text, agent="driver-1"))
    assert write_direction(parse_direction(written, agent="driver-1")) == written


@given(directions())
def test_what_a_program_made_reads_back(direction: Direction) -> None:
    again = reread(direction)
    assert [task.model_copy(update={"fields": {}, "source": None, "number": 0}) for task in again.tasks] == [
        task.model_copy(update={"source": None}) for task in direction.tasks
    ]
    for field in (
        "epoch",
        "owner",
        "last_reviewed",
        "front_matter",
        "rules",
        "canon",
        "mission",
        "focus",
        "git",
        "roadmap",
    ):
        assert getattr(again, field) == getattr(direction, field)


def task(**values: object) -> TaskSpec:
    return TaskSpec.model_validate({"key": "driver-1/a", "title": "A", "agent": "driver-1"} | values)


def test_a_task_is_written_in_the_form_that_people_use() -> None:
    direction = Direction("driver-1", tasks=(task(what="x", priority=0, paths=("a/*.py",), checks=("make",)),))
    assert write_direction(direction) == (
        "# driver-1\n\n## Active tasks\n\n### Task 1 - A\n\n"
        "**What**: x\n**Priority**: P0\n**Paths**: `a/*.py`\n**Checks**:\n- `make`\n"
    )


def test_a_text_that_would_end_its_task_is_written_as_a_list_item() -> None:
    text = "first\n\n---\n\n### Task 9 - no task\n\n**Evidence**: no field"
    again = reread(Direction("driver-1", tasks=(task(what=text),)))
    assert again.tasks[0].what == text
    assert len(again.tasks) == 1


@pytest.mark.parametrize(
    ("direction", "key"),
    [
        (Direction("driver-1", tasks=(task(title="two\nlines"),)), "tasks.0"),
        (Direction("driver-1", tasks=(task(blocked_by="the printer"),)), "tasks.0"),
        (Direction("driver-1", tasks=(task(), task())), "tasks.0"),
        (Direction("driver-1", rules=(Rule("## a"),)), "rules"),
        (Direction("driver-1", mission="## Canon\n- x"), "canon"),
        (Direction("driver-1", title=" a "), "title"),
    ],
)
def test_what_would_read_back_differently_is_refused(direction: Direction, key: str) -> None:
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        write_direction(direction)
    assert caught.value.key == key


def test_a_key_that_is_not_the_slug_of_the_title_is_written_as_an_id() -> None:
    again = reread(Direction("driver-1", tasks=(task(key="driver-1/other"),)))
    assert again.tasks[0].key == "driver-1/other"


def test_dependencies_are_written_as_keys() -> None:
    second = task(key="driver-1/b", title="B", depends_on=("driver-1/a", "driver-2/c"))
    again = reread(replace(Direction("driver-1"), tasks=(task(), second)))
    assert again.tasks[1].depends_on == ("driver-1/a", "driver-2/c")
