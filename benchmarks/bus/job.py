"""What every contender handles: one small typed message."""

from __future__ import annotations

import time
from typing import Protocol

from pydantic import BaseModel


class Report(Protocol):
    """Takes what was measured, by its name, and ends the process: what contenders do at their end is not measured."""

    def __call__(self, **figures: float) -> None: ...


class Job(BaseModel):
    """As much as a progress message says."""

    task: str
    attempt: int
    doing: str


DOING = "running the tests of the parser, third time"


def job(n: int) -> Job:
    return Job(task=f"T-{n}", attempt=1, doing=DOING)


class Tally:
    """Counts what was handled, and the time it took."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.handled = 0
        self._began = 0.0

    def one(self) -> bool:
        """One more; True when it was the last."""
        if not self.handled:
            self._began = time.perf_counter()
        self.handled += 1
        return self.handled == self.count

    def rate(self) -> float:
        """Messages a second from the first until now."""
        return self.count / (time.perf_counter() - self._began)
