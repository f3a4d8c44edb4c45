"""One contender in a process of its own: `python -m benchmarks.bus.one NAME URL COUNT` prints what it measured, as JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Protocol, cast

from benchmarks.bus.job import Report
from loguru import logger


class Contender(Protocol):
    def run(self, url: str, count: int, report: Report) -> None: ...


def report(**figures: float) -> None:
    print(json.dumps(figures), flush=True)
    os._exit(0)


def main() -> None:
    name, url, count = sys.argv[1:]
    logger.remove()
    contender = cast(Contender, importlib.import_module(f"benchmarks.bus.contenders.{name}"))
    contender.run(url, int(count), report)


if __name__ == "__main__":
    main()
