"""Direction files read for a test."""

from __future__ import annotations

from pathlib import Path

from callboard.bus.task import TaskSpec
from callboard.directions.document import Direction
from callboard.directions.parse import parse_direction, read_direction

FIXTURES = Path(__file__).parents[1] / "unit/directions/fixtures"


def parse(text: str) -> Direction:
    return parse_direction(text, agent="driver-1")


def only_task(text: str) -> TaskSpec:
    (task,) = parse(text).tasks
    return task


def messages(direction: Direction) -> list[str]:
    return [problem.message for problem in direction.problems]


def read_bytes(tmp_path: Path, data: bytes) -> Direction:
    path = tmp_path / "driver-1.md"
    path.write_bytes(data)
    return read_direction(path)
