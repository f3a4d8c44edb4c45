"""Many who ask at once cost one look, and nobody hears what was true before they asked."""

from __future__ import annotations

import asyncio

import pytest

from callboard.web.shared import Shared


class World:
    """What is true now, and how often somebody looked. A look takes until it is let go."""

    def __init__(self) -> None:
        self.truth, self.looks = 0, 0
        self.let_go = asyncio.Event()

    async def look(self) -> int:
        self.looks += 1
        seen = self.truth
        await self.let_go.wait()
        if seen < 0:
            raise ValueError(seen)
        return seen


async def begun(*asked: asyncio.Task[int]) -> None:
    """All of them wait for a look by now."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in asked)


def test_who_asks_while_somebody_looks_hears_of_the_next_look_and_all_of_them_of_one() -> None:
    async def scene() -> None:
        world = World()
        shared = Shared(world.look)
        early = [asyncio.create_task(shared.ask()) for _ in range(10)]
        await begun(*early)
        world.truth = 1
        late = [asyncio.create_task(shared.ask()) for _ in range(100)]
        await begun(*early, *late)
        assert world.looks == 1
        world.let_go.set()
        assert await asyncio.gather(*early) == [0] * 10
        assert await asyncio.gather(*late) == [1] * 100
        assert world.looks == 2
        world.truth = 2
        assert await shared.ask() == 2, "nothing is kept"

    asyncio.run(scene())


def test_what_a_look_raises_all_hear_who_waited_for_it_and_nobody_after_them() -> None:
    async def scene() -> None:
        world = World()
        shared = Shared(world.look)
        world.truth = -1
        asked = [asyncio.create_task(shared.ask()) for _ in range(3)]
        await begun(*asked)
        world.truth = 1
        world.let_go.set()
        assert [str(error) for error in await asyncio.gather(*asked, return_exceptions=True)] == ["-1"] * 3
        assert await shared.ask() == 1

    asyncio.run(scene())


def test_who_hangs_up_takes_nothing_away_from_the_others() -> None:
    async def scene() -> None:
        world = World()
        shared = Shared(world.look)
        gone, stays = asyncio.create_task(shared.ask()), asyncio.create_task(shared.ask())
        await begun(gone, stays)
        gone.cancel()
        world.let_go.set()
        assert await stays == 0

    asyncio.run(scene())


def test_nobody_looks_once_it_is_closed_and_who_waited_is_told() -> None:
    async def scene() -> None:
        world = World()
        shared = Shared(world.look)
        asked = [asyncio.create_task(shared.ask()) for _ in range(2)]
        await begun(*asked)
        waits = asyncio.create_task(shared.ask())
        await begun(waits)
        await shared.close()
        for task in (*asked, waits):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert world.looks == 1

    asyncio.run(scene())
