from __future__ import annotations

import pytest
from boards import board_of, run_doc, task_doc

from callboard.bus.errors import ConfigError
from callboard.cli.tasks import resolve_dependencies, written_task


def test_a_persons_task_has_the_key_that_its_title_would_have_in_a_direction_file() -> None:
    task = written_task("driver-1", "  Add a /health endpoint ", checks=["pytest -q"], paths=["app/**"], priority=0)
    assert (task.key, task.title) == ("driver-1/add-a-health-endpoint", "Add a /health endpoint")
    assert (task.checks, task.paths, task.priority, task.source.kind) == (("pytest -q",), ("app/**",), 0, "person")


@pytest.mark.parametrize("title", ["", "   ", "one\ntwo"])
def test_a_title_is_one_line(title: str) -> None:
    with pytest.raises(ConfigError, match="one line"):
        written_task("driver-1", title)


def test_dependencies_can_be_named_by_id_or_key() -> None:
    board = board_of(run_doc(), task_doc(1, "One"), task_doc(2, "Two"))
    assert resolve_dependencies(board, ["T-2", "driver-1/one"]) == ("driver-1/two", "driver-1/one")


@pytest.mark.parametrize("name", ["T-9", "driver-1/onne"])
def test_a_dependency_that_is_not_on_the_board_is_refused_for_it_would_be_waited_for_for_ever(name: str) -> None:
    with pytest.raises(ConfigError, match="no task"):
        resolve_dependencies(board_of(run_doc(), task_doc(1, "One")), [name])


def test_a_slip_in_a_key_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="did you mean driver-1/one"):
        resolve_dependencies(board_of(run_doc(), task_doc(1, "One")), ["driver-1/onne"])
