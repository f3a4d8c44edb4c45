"""This repository is a workspace like anybody's."""

from __future__ import annotations

from pathlib import Path

from callboard.directions.parse import read_direction
from callboard.settings import load_settings

ROOT = Path(__file__).parents[2]


def test_its_roster_can_be_launched() -> None:
    settings = load_settings(ROOT / "callboard.toml", {})
    assert settings.launch_problems() == ()
    assert [agent.seat for agent in settings.reviewers] == ["senior", "junior-1", "junior-2"]


def test_every_driver_has_directions_that_read_without_a_problem() -> None:
    settings = load_settings(ROOT / "callboard.toml", {})
    for driver in settings.drivers:
        direction = read_direction(ROOT / settings.paths.directions / f"{driver.name}.md")
        assert direction.problems == ()
        assert direction.git.branch == f"{driver.name}/work"
        assert direction.tasks
        assert all(task.what and task.evidence and task.serves and task.checks for task in direction.tasks)
