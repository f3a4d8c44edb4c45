"""The files that a new workspace starts with."""

from __future__ import annotations

from datetime import date

from callboard.directions.check import check_directions
from callboard.directions.parse import parse_direction
from callboard.directions.templates import direction_template

TODAY = date(2026, 3, 10)


def test_a_template_reads_without_tasks_and_problems_and_with_rules() -> None:
    text = direction_template("some-agent", path="directions/some-agent.md", owner="Ann: lead", today=TODAY)
    direction = parse_direction(text, agent="some-agent")
    assert direction.tasks == ()
    assert direction.briefing().locks
    assert (direction.owner, direction.epoch, direction.last_reviewed) == ("Ann: lead", "2026.03.E1", TODAY)
    assert direction.briefing().canon == ()
    assert check_directions([direction], today=TODAY, agents=["some-agent"]) == ((),)


def test_the_example_of_a_drivers_template_is_a_task_in_order_once_it_is_taken_out_of_its_comment() -> None:
    text = direction_template("driver-1", path="directions/driver-1.md", owner="me", today=TODAY)
    direction = parse_direction(text.replace("<!--", "").replace("-->", ""), agent="driver-1")
    (task,) = direction.tasks
    assert check_directions([direction], today=TODAY, agents=["driver-1"]) == ((),)
    assert (task.checks, task.priority, task.estimate_minutes) == (("pytest -q tests/test_health.py",), 1, (60, 120))
