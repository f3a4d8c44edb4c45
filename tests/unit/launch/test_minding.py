"""Each environment's switch is looked after, whatever another's is like."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from loguru import logger
from target_in_memory import MemoryTarget

from callboard.bus.errors import DeployFailed
from callboard.launch.minding import mind

ROUNDS = 4


@dataclass
class Switched(MemoryTarget):
    """Its switch has ended so often; `broken`: why it cannot be started, one for each round."""

    ended: int = 0
    broken: list[str] = field(default_factory=list)
    looks: int = 0

    def reopen(self) -> bool:
        self.looks += 1
        if self.broken:
            raise DeployFailed(self.broken.pop(0))
        self.ended -= 1
        return self.ended >= 0


class Over(Exception):
    """So many rounds are enough."""


@pytest.fixture
def lines() -> Iterator[list[str]]:
    found: list[str] = []
    sink = logger.add(found.append, format="{level} {message} {extra}")
    yield found
    logger.remove(sink)


def test_a_switch_that_cannot_be_started_is_said_once_and_keeps_no_other_one_waiting(
    tmp_path: Path, lines: list[str]
) -> None:
    staging = Switched(tmp_path, broken=["port 1 is taken", "port 1 is taken", "it hangs"])
    production = Switched(tmp_path, ended=2)
    rounds = iter(range(ROUNDS - 1))

    async def sleep(seconds: float) -> None:
        if next(rounds, None) is None:
            raise Over

    with pytest.raises(Over):
        asyncio.run(mind({"staging": staging, "production": production}, sleep))

    assert (staging.looks, production.looks) == (ROUNDS, ROUNDS)
    started = "WARNING the switch or its keeper had ended, and runs again {'environment': 'production'}"
    failed = "ERROR the switch or its keeper cannot be started {{'environment': 'staging', 'error': '{}'}}"
    wanted = [failed.format("port 1 is taken"), started, started, failed.format("it hangs")]
    assert [one.strip() for one in lines] == wanted
