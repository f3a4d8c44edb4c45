"""What a driver commits says whose it is, and nothing that a title could smuggle in."""

from __future__ import annotations

from callboard.agents.driver.message import MAX_SUBJECT, hand_in_message
from callboard.bus.task import TaskSpec


def spec(title: str) -> TaskSpec:
    return TaskSpec(key="driver-1/health", title=title, agent="driver-1")


def test_a_hand_in_has_the_prefix_and_four_trailers() -> None:
    message = hand_in_message(spec("Add /health"), prefix="api: ", task="T-7", agent="driver-1", attempt=2)
    assert message == "api: Add /health\n\nTask: T-7\nTask-Key: driver-1/health\nAgent: driver-1\nAttempt: 2\n"


def test_a_title_stays_one_line_of_bounded_length() -> None:
    title = "Add\n\nTask-Key: other/key\nTask-Digest: 1" + "x" * 500
    message = hand_in_message(spec(title), prefix="", task="T-7", agent="d", attempt=1)
    subject, empty, *trailers = message.splitlines()
    assert len(subject) <= MAX_SUBJECT
    assert empty == ""
    assert [line.partition(":")[0] for line in trailers] == ["Task", "Task-Key", "Agent", "Attempt"]
