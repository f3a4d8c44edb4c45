"""Tells people outside of the terminal what needs them; nothing that happens here disturbs the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError, NotificationFailed
from callboard.launch.notifications import Notification, Told, follow, open_questions
from callboard.launch.notify_process import LONGEST_S, Message, send
from callboard.launch.outbox import Outbox, Patience, letter, service_key
from callboard.settings.notify import Service

LOOK_EVERY_S = 1.0
LAST_S = 10.0
"""How long the end of a launch waits for services; what is left is sent by the next one."""


async def keep_notifying(
    workspace: Workspace, bus: Bus, stop: asyncio.Event, say: Callable[[str], None], *, last_s: float = LAST_S
) -> None:
    """Notify until `stop`, then of everything that is in the journal by then.

    Args:
        say: Told, as a sentence, that a service takes nothing, once each time it begins.
    """
    services = workspace.settings.notify.services(workspace.environ)
    for service in services:
        if not service.url:
            say(f"nobody is notified by {service.said}: that variable is not set")
    there = tuple(service for service in services if service.url)
    if there:
        await Notifier(workspace, bus, there, say, last_s).run(stop)


@dataclass(slots=True)
class Notifier:
    """One launch's. How far it has told what is in the outbox's file, so a new launch goes on there."""

    workspace: Workspace
    bus: Bus
    services: Sequence[Service]
    say: Callable[[str], None]
    last_s: float = LAST_S
    _patience: dict[str, Patience] = field(default_factory=dict)
    _outbox: Outbox | None = None

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            with suppress(BusError, OSError):  # who else works with either says so; the next look tries again
                await self._look()
                await self._deliver(LONGEST_S, stop)
        with suppress(BusError, OSError, TimeoutError):
            await self._look()
            async with asyncio.timeout(self.last_s):
                self._patience = {}
                await self._deliver(self.last_s)

    async def _look(self) -> None:
        if self._outbox is None:
            self._outbox = Outbox.load(self._path) or await self._begin()
            self._outbox.keep_only(map(_key, self.services))
        outbox = self._outbox
        told, fresh = outbox.told, list[Notification]()
        async for entry in self.bus.journal(told.seq):
            told, found = follow(told, entry)
            fresh += found
        if told.seq == outbox.told.seq and self._path.exists():
            return
        outbox.told = told
        outbox.take(map(_key, self.services), self._wanted(fresh))
        outbox.save(self._path)

    async def _begin(self) -> Outbox:
        # in this order: what comes in between is in both, under one key
        seq = await self.bus.seq()
        board = await self.bus.board()
        outbox = Outbox(Told.of(board, seq))
        outbox.take(map(_key, self.services), self._wanted(open_questions(board)))
        return outbox

    def _wanted(self, found: Sequence[Notification]) -> list[Notification]:
        events, clean = self.workspace.settings.notify.events, self.workspace.redactor.text
        return [replace(one, title=clean(one.title), text=clean(one.text)) for one in found if one.event in events]

    async def _deliver(self, timeout_s: float, stop: asyncio.Event | None = None) -> None:
        """One message to each service that something waits for, side by side; a launch that stops waits no longer."""
        sending = asyncio.create_task(self._send_all(timeout_s))
        if stop is None:
            await sending
            return
        stopping = asyncio.create_task(stop.wait())
        tasks: tuple[asyncio.Task[object], ...] = (sending, stopping)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        # what is under way has mostly arrived: broken off, it would be sent again
        await asyncio.wait((sending,), timeout=self.last_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, timeout_s: float) -> None:
        await asyncio.gather(*(self._send(service, timeout_s) for service in self.services))

    async def _send(self, service: Service, timeout_s: float) -> None:
        assert self._outbox is not None
        clock = asyncio.get_running_loop().time
        patience = self._patience.setdefault(service.said, Patience(self.workspace.settings.notify.every_s))
        waiting = self._outbox.waiting.get(_key(service))
        if waiting is None or not waiting.notifications or not patience.is_due(clock()):
            return
        sent = tuple(waiting.notifications)
        title, text = letter(self.workspace.root.name, waiting)
        try:
            await send(Message(service.url, title, text), self.workspace.environ, timeout_s=timeout_s)
        except (NotificationFailed, OSError) as error:
            if patience.failed(clock()):
                reason = self.workspace.redactor.text(str(error))
                self.say(f"{service.shown} takes no notifications: {reason}; trying again, the run goes on")
        else:
            patience.went(clock())
            waiting.delivered(sent)
            self._outbox.save(self._path)

    @property
    def _path(self) -> Path:
        return self.workspace.layout.outbox(self.bus.run)


def _key(service: Service) -> str:
    return service_key(service.said)
