"""One contender in a process of its own: `python -m benchmarks.bus.one NAME URL COUNT` prints its rate."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Protocol, cast

from benchmarks.bus.job import Report
from loguru import logger


class Contender(Protocol):
    def run(self, url: str, count: int, report: Report) -> None: ...


def report(rate: float) -> None:
    """Print it and end the process at once: how long others take to stop is not our subject."""
    print(rate, flush=True)
    os._exit(0)


def main() -> None:
    name, url, count = sys.argv[1:]
    logger.remove()
    contender = cast(Contender, importlib.import_module(f"benchmarks.bus.contenders.{name}"))
    contender.run(url, int(count), report)


if __name__ == "__main__":
    main()
