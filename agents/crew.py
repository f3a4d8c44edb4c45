"""Handlers at work, with as few tasks as that takes.

Most handlers never wait: they look, decide and return. One task takes such messages one after the other, and their commits
are answered without a task each. A handler that does wait keeps the task it began in, to itself from then on, and somebody
beside it who stops it when it has to be stopped; the messages behind it go on in a new task.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from callboard.agents.attempt import Attempt, Handling
from callboard.bus.errors import BusUnavailable
from callboard.bus.messages import Outcome

NOTHING = Outcome()


class Crew:
    """Works on attempts until each has ended.

    Args:
        group: Where tasks live that stand beside a handler; an error of theirs (the server is gone) ends it.
        ended: Called once for each attempt that was begun and not taken out by `empty`.
    """

    def __init__(self, group: asyncio.TaskGroup, ended: Callable[[Attempt], None]) -> None:
        self._group = group
        self._ended = ended
        self._ready = deque[Attempt]()
        self._task: asyncio.Task[Outcome] | None = None
        """Takes what is ready, as long as no handler waits."""
        self._now: Attempt | None = None
        """What that task has begun last."""
        self._beside: dict[Attempt, asyncio.Task[None]] = {}
        self._sent: set[Attempt] = set()
        """Handled; their commits are on their way."""
        self._changed = asyncio.Event()
        self._is_closed = False

    def begin(self, attempt: Attempt) -> None:
        self._ready.append(attempt)
        self._go_on()

    def close(self) -> None:
        """Begin nothing more."""
        self._is_closed = True

    def empty(self) -> list[Attempt]:
        """Take out what has not begun, or would have to begin again."""
        waiting = list(self._ready)
        self._ready.clear()
        return waiting

    async def end(self, grace_s: float) -> None:
        """Let what is under way end within the grace, then stop it and wait until it has cleaned up."""
        if await self._until(lambda: not self._beside and not self._sent, grace_s):
            return
        sent, self._sent = self._sent, set()
        tasks = list(self._beside.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(attempt.give_back() for attempt in sent))
        for attempt in sent:
            self._leave(attempt)
        if tasks:
            await asyncio.wait(tasks)

    async def answered(self, within_s: float) -> None:
        """Wait for the answers to what was sent."""
        await self._until(lambda: not self._sent, within_s)

    async def _until(self, so: Callable[[], bool], within_s: float) -> bool:
        """Whether it becomes so within the time."""
        try:
            async with asyncio.timeout(within_s):
                while not so():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _go_on(self) -> None:
        if self._task is None and self._ready and not self._is_closed:
            loop = asyncio.get_running_loop()
            self._task = task = loop.create_task(self._work(), name="handlers")
            # The loop runs this right after the task's first step.
            loop.call_soon(self._look_after, task)

    async def _work(self) -> Outcome:
        """Handle what is ready. Once a handler has waited, the task is that handler's alone, and its result is the handler's."""
        task = asyncio.current_task()
        while self._ready and not self._is_closed:
            self._now = attempt = self._ready.popleft()
            if not attempt.is_plain():
                self._stand_beside(attempt)
                continue
            try:
                outcome = await attempt.handle()
            except (Exception, asyncio.CancelledError) as error:
                if self._task is not task:
                    raise
                self._stand_beside(attempt, _raised(error))
                continue
            if self._task is not task:
                return outcome
            self._commit(attempt, outcome)
        self._task = None
        return NOTHING

    def _look_after(self, task: asyncio.Task[Outcome]) -> None:
        """The task has taken its first step: it has ended, or a handler in it waits."""
        if self._task is task and self._now is not None:
            self._task = None
            self._stand_beside(self._now, task)
        self._go_on()

    def _commit(self, attempt: Attempt, outcome: Outcome) -> None:
        self._sent.add(attempt)
        try:
            attempt.commit_soon(outcome, partial(self._hear, attempt, outcome))
        except Exception as error:  # noqa: BLE001 - an outcome that cannot be sent is its message's failure
            self._sent.discard(attempt)
            self._stand_beside(attempt, _raised(error))

    def _hear(self, attempt: Attempt, outcome: Outcome, error: BaseException | None) -> None:
        if attempt not in self._sent:
            return  # given back meanwhile
        self._sent.discard(attempt)
        self._changed.set()
        if isinstance(error, Exception) and self._is_closed and not isinstance(error, BusUnavailable):
            self._ready.append(attempt)
        elif isinstance(error, Exception):
            self._stand_beside(attempt, _returned(outcome), error)
        else:
            self._leave(attempt)

    def _stand_beside(
        self, attempt: Attempt, handling: Handling | None = None, refused: Exception | None = None
    ) -> None:
        work = attempt.run(handling, refused)
        try:
            task = self._group.create_task(work, name=f"{attempt.entry.field} {attempt.envelope.kind}")
        except RuntimeError:
            # The group is being ended because the server is gone: the lease ends by itself.
            work.close()
            self._leave(attempt)
            return
        self._beside[attempt] = task
        task.add_done_callback(partial(self._left, attempt, handling))

    def _left(self, attempt: Attempt, handling: Handling | None, task: asyncio.Task[None]) -> None:
        del self._beside[attempt]
        if attempt.has_run:
            self._leave(attempt)
            return
        # The task was cancelled before its first step.
        if handling is not None:
            handling.cancel()
        self._ready.append(attempt)
        self._changed.set()

    def _leave(self, attempt: Attempt) -> None:
        self._changed.set()
        self._ended(attempt)


def _returned(outcome: Outcome) -> Handling:
    handling: Handling = asyncio.get_running_loop().create_future()
    handling.set_result(outcome)
    return handling


def _raised(error: BaseException) -> Handling:
    handling: Handling = asyncio.get_running_loop().create_future()
    if isinstance(error, asyncio.CancelledError):
        handling.cancel()
    else:
        handling.set_exception(error)
    return handling
