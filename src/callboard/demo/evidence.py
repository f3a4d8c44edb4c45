"""What is looked at to see whether the demo kept its promises, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass

from callboard.bus.board import Board, TaskDoc, TaskState
from callboard.demo.served import Served
from callboard.demo.story import Story
from callboard.demo.traces import Traces


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    """A word or two."""
    said: str
    """What happened, in sentences; where it did not, what is missing."""
    holds: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the checks look at."""

    board: Board
    story: Story
    traces: Traces
    served: Served

    def title(self, id: str) -> str:
        """`T-3 "Let people choose a name"`."""
        return f'{id} "{self.board.task(id).task.title}"'

    def landed_later(self, task: TaskDoc, attempt: int) -> bool:
        """Whether a later attempt of the task has landed."""
        return task.state is TaskState.DONE and bool(task.landed) and task.attempt > attempt


def counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
