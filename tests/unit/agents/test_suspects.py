from __future__ import annotations

import asyncio

from callboard.agents.suspects import Turn


def test_suspects_take_turns_and_a_turn_ends_once() -> None:
    async def scenario() -> None:
        lock = asyncio.Lock()
        first, second, third = (Turn(lock, longest_s=3_600) for _ in range(3))
        await first.begin()
        waiting = [asyncio.create_task(turn.begin()) for turn in (second, third)]
        await asyncio.sleep(0)
        assert [task.done() for task in waiting] == [False, False]
        first.end()
        first.end()
        await waiting[0]
        assert not waiting[1].done()
        second.end()
        await waiting[1]

    asyncio.run(scenario())


def test_a_suspect_that_lives_on_lets_the_next_one_begin() -> None:
    async def scenario() -> None:
        lock = asyncio.Lock()
        first, second = Turn(lock, longest_s=0.0), Turn(lock, longest_s=3_600)
        await first.begin()
        async with asyncio.timeout(300):
            await second.begin()
        first.end()
        assert lock.locked()

    asyncio.run(scenario())
