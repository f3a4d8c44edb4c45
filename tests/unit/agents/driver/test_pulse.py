"""Whether an attempt gets anywhere: quiet measurements are counted."""

from __future__ import annotations

import asyncio

import pytest

from callboard.agents.driver.progress import Progress
from callboard.agents.driver.pulse import Pulse, change_digest
from callboard.agents.workspace.git_output import TreeChange
from callboard.bus.errors import LeaseLost, WorkspaceError


class Clone:
    """What measurements find, one after the other; the last one for ever."""

    def __init__(self, *found: str | Exception) -> None:
        self.found = list(found)
        self.told: list[tuple[str, float]] = []
        self.said: list[str] = []
        self.enough = asyncio.Event()

    async def measure(self) -> str:
        next_one = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        if isinstance(next_one, Exception):
            raise next_one
        return next_one

    async def tell(self, digest: str, quiet_s: float) -> None:
        self.told.append((digest, quiet_s))
        self.enough.set()

    async def send(self, line: str) -> None:
        self.said.append(line)

    def pulse(self, every_s: float = 60) -> Pulse:
        return Pulse(Progress(self.send, every_s=0), self.measure, self.tell, every_s=every_s)


def test_quiet_is_how_many_measurements_found_the_same_and_heard_nothing() -> None:
    async def main() -> None:
        clone = Clone("a", "a", "a", "b", "b", "b")
        pulse = clone.pulse()
        for n in range(6):
            if n == 5:
                await pulse.report("reads a file")
            await pulse.look()
        assert clone.told == [("a", 0), ("a", 60), ("a", 120), ("b", 0), ("b", 60), ("b", 0)]

    asyncio.run(main())


def test_it_measures_until_it_is_closed_and_passes_on_what_is_said() -> None:
    async def main() -> None:
        clone = Clone(WorkspaceError("the index is locked"), "a")
        pulse = clone.pulse(every_s=0.001)
        pumping = asyncio.ensure_future(pulse.pump())
        await pulse.report("reads")
        await clone.enough.wait()
        pulse.close()
        await pumping
        assert clone.told[0] == ("a", 0), "what cannot be measured now is no measurement"
        assert clone.said == ["reads"]

    asyncio.run(main())


def test_a_lost_lease_ends_it_as_it_is() -> None:
    async def main() -> None:
        with pytest.raises(LeaseLost):
            await Clone(LeaseLost("gone")).pulse(every_s=0.001).pump()

    asyncio.run(main())


def test_a_change_has_one_digest_on_any_base() -> None:
    one = TreeChange("a\udcff", "100644", "100644", "1" * 40, "2" * 40, "M")
    other = TreeChange("a\udcff", "000000", "100644", "0" * 40, "2" * 40, "A")
    assert change_digest([one]) == change_digest([other])
    assert change_digest([one]) != change_digest([TreeChange("b", "100644", "100644", "1" * 40, "2" * 40, "M")])
    assert change_digest([]) == ""
